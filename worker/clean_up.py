"""Removing the directories and artefacts of jobs that were closed long ago."""

import asyncio
import contextlib
import logging
import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from ..communicators import ArtifactStore, JobState, RedisClient, commands
from ..config.errors import ArtifactDamaged, JobNotFound
from .expired_directories import ExpiredDirectory, expired_directories, hidden_name
from .work_folders import remove_tree

__all__ = ["CleanUp"]

logger = logging.getLogger(__name__)

#: How often a worker looks, at the most, and for how long at a time: a part of one thread, whatever there is to remove.
_INTERVAL_SECONDS = 60.0
_TICK_SECONDS = 2.0


class CleanUp:
    """Removes what has expired. Any number of them may be at work on one folder."""

    def __init__(
        self, jobs: Path, store: ArtifactStore, ledger: RedisClient, keep: timedelta, retention: timedelta
    ) -> None:
        """Prepare.

        Args:
            jobs: the folder of the job directories.
            store: where the jobs' artefacts are.
            ledger: asked before anything is removed: the directory of an open job is never touched.
            keep: how long the directory of a closed job is kept.
            retention: how long the ledger knows a closed job.
        """
        self._jobs = jobs
        self._store = store
        self._ledger = ledger
        self._keep = keep
        self._retention = retention
        self._search = self._pausing()

    def expired(self) -> Iterator[list[ExpiredDirectory]]:
        """Yield what is to be removed, batch by batch. Blocks; raises `BrokerUnavailable`, `OSError`."""
        return expired_directories(self._jobs, self._keep, self._retention, self._states)

    def remove(self, expired: ExpiredDirectory) -> bool:
        """Remove a directory and the job's artefacts; the answer is whether it was us who did. Blocks.

        It gets a hidden name first. Should we die then, the next one goes on.

        Raises:
            OSError: when it cannot be removed.
            ArtifactError, SettingsError: when the artefact store refuses; the directory stays, hidden, for another time.
        """
        hidden = self._jobs / hidden_name(expired.job_id)
        if not expired.is_half_removed:
            try:
                os.rename(expired.path, hidden)
            except FileNotFoundError:
                return False
        self._store.remove(expired.job_id)
        with contextlib.suppress(FileNotFoundError):  # another was faster
            remove_tree(hidden)
        return True

    async def keep_going(self) -> None:
        """Look and remove for ever, a little at a time."""
        interval = min(_INTERVAL_SECONDS, max(self._keep.total_seconds() / 4, 0.1))
        while True:
            await asyncio.sleep(interval * random.uniform(0.5, 1.0))  # noqa: S311 - so that workers do not march in step
            await asyncio.to_thread(self.tick)

    def tick(self) -> None:
        """Go on where the last tick has ended, for a few seconds; never raises. Blocks."""
        removed, problems = 0, list[str]()
        try:
            for expired in self._some(_TICK_SECONDS):
                try:
                    removed += self.remove(expired)
                except (OSError, ArtifactDamaged) as error:  # it concerns this one alone
                    problems.append(str(error))
        except Exception as error:  # noqa: BLE001 - the worker goes on, and so will the next tick
            problems.append(f"{type(error).__name__}: {error}")
        if removed:
            logger.info("removed %d job directories", removed, extra={"action": "directories_removed"})
        if problems:
            facts = {"action": "directories_not_removed"}
            logger.warning("%d job directories cannot be removed: %s", len(problems), problems[0], extra=facts)

    def _some(self, seconds: float) -> Iterator[ExpiredDirectory]:
        """Yield what is to be removed until the time is up or all has been looked at; a later call goes on from there."""
        deadline = time.monotonic() + seconds
        for expired in self._search:
            if expired is not None:
                yield expired
            if time.monotonic() > deadline:
                return
        self._search = self._pausing()

    def _pausing(self) -> Iterator[ExpiredDirectory | None]:
        """Yield what is to be removed, and between two batches nothing."""
        for batch in self.expired():
            yield from batch
            yield None

    def _states(self, job_ids: Sequence[str]) -> Mapping[str, JobState | None]:
        answers = self._ledger.run_many([commands.read_state(job_id) for job_id in job_ids]) if job_ids else []
        return dict(zip(job_ids, map(_state, answers), strict=True))


def _state(answer: JobState | Exception) -> JobState | None:
    match answer:
        case JobState():
            return answer
        case JobNotFound():
            return None
        case _:
            raise answer
