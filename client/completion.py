"""Waiting for many jobs by one inbox, however many they are."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import timedelta
from typing import Any, Generic, TypeVar

from ..communicators import Command, Patience, commands
from ..config.errors import BrokerUnavailable, JobNotFound, WaitTimeout
from .job import Job

__all__ = ["as_completed", "as_completed_async"]

J = TypeVar("J", bound=Job[Any])

_JOBS_PER_COMMAND = 500
#: An inbox that nobody reads vanishes after this long, and is asked for anew well before.
_KEEP = timedelta(hours=1)
_RENEW_SECONDS = 600.0


class _Inbox(Generic[J]):
    """Which jobs are still waited for, and what to ask next. It asks nothing itself."""

    def __init__(self, jobs: Iterable[J], timeout: float | None) -> None:
        self.id = uuid.uuid4().hex
        self.pending: dict[str, list[J]] = {}
        for job in jobs:
            self.pending.setdefault(job.id, []).append(job)
        self._timeout = timeout
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._position = "0"
        self._subscribed = 0.0
        self._unknown: list[str] = []

    def subscriptions(self) -> list[Command[dict[str, str]]]:
        """Return the commands that have the ends of all pending jobs told to us, and tell which have ended; often none."""
        if time.monotonic() - self._subscribed < _RENEW_SECONDS and self._subscribed:
            return []
        self._subscribed = time.monotonic()
        ids = list(self.pending)
        parts = [ids[i : i + _JOBS_PER_COMMAND] for i in range(0, len(ids), _JOBS_PER_COMMAND)]
        return [commands.watch_ends(self.id, part, _KEEP) for part in parts]

    def subscribe_again(self) -> None:
        """Distrust the subscription: Redis was away."""
        self._subscribed = 0.0

    def next_read(self, longest: timedelta) -> Command[tuple[str, list[str]]]:
        block = longest
        if self._deadline is not None and self._timeout is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise WaitTimeout(next(iter(self.pending)), self._timeout)
            block = max(min(longest, timedelta(seconds=left)), timedelta(milliseconds=1))
        return commands.read_inbox(self.id, self._position, block)

    def take_ended(self, ended: dict[str, str]) -> list[J]:
        self._unknown += [job_id for job_id, state in ended.items() if state == "unknown"]
        return self._take(job_id for job_id, state in ended.items() if state != "unknown")

    def check_known(self) -> None:
        """Raise for a job without a record; only after those that have ended were given."""
        if self._unknown:
            raise JobNotFound(self._unknown[0])

    def take(self, answer: tuple[str, list[str]]) -> list[J]:
        self._position, ids = answer
        return self._take(ids)

    def _take(self, ids: Iterable[str]) -> list[J]:
        return [job for job_id in ids for job in self.pending.pop(job_id, [])]


def as_completed(jobs: Iterable[J], timeout: float | None = None) -> Iterator[J]:
    """Yield each job once it has ended, in whatever way, those that ended first first.

    Raises:
        WaitTimeout: when some have not ended after `timeout` seconds.
        JobNotFound: when a record has expired.
    """
    inbox, patience = _Inbox(jobs, timeout), Patience()
    if not inbox.pending:
        return
    redis = next(iter(inbox.pending.values()))[0].client.redis
    try:
        while inbox.pending:
            try:
                ended = [job for command in inbox.subscriptions() for job in inbox.take_ended(redis.run(command))]
                if inbox.pending and not ended:
                    ended = inbox.take(redis.run(inbox.next_read(redis.longest_block)))
                patience.answered()
            except BrokerUnavailable as error:
                inbox.subscribe_again()
                time.sleep(patience.pause_after(error))
                continue
            yield from ended
            inbox.check_known()
    finally:
        with contextlib.suppress(BrokerUnavailable):  # then it expires
            redis.run(commands.forget_inbox(inbox.id))


async def as_completed_async(jobs: Iterable[J], timeout: float | None = None) -> AsyncIterator[J]:
    """Yield each job once it has ended, as `as_completed` does."""
    inbox, patience = _Inbox(jobs, timeout), Patience()
    if not inbox.pending:
        return
    async with next(iter(inbox.pending.values()))[0].connected() as redis:
        while inbox.pending:
            try:
                ended: list[J] = []
                for command in inbox.subscriptions():
                    ended += inbox.take_ended(await redis.run(command))
                if inbox.pending and not ended:
                    ended = inbox.take(await redis.run_blocking(inbox.next_read(redis.longest_block)))
                patience.answered()
            except BrokerUnavailable as error:
                inbox.subscribe_again()
                await asyncio.sleep(patience.pause_after(error))
                continue
            for job in ended:
                yield job
            inbox.check_known()
        await redis.run(commands.forget_inbox(inbox.id))
