"""Which job directories have outlived their time."""

import itertools
import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pydantic import ValidationError

from ..communicators import JOB_ID_PATTERN, RECORD_FILE, JobSpec, JobState
from .job_directory import PARAMETERS_FILE

__all__ = ["ExpiredDirectory", "States", "expired_directories", "hidden_name"]

#: Answers what the ledger says of some jobs; `None`: it does not know them (any more).
States = Callable[[Sequence[str]], Mapping[str, JobState | None]]

#: Entries looked at, and jobs asked for, at a time.
_BATCH = 200
#: Files of an attempt that are looked at to know when something was changed there.
_LOOKED_AT = 1000
#: More bytes than this are no parameters.
_LARGEST = 256 * 2**20
_HIDDEN = ".removed-"
_JOB_ID = re.compile(JOB_ID_PATTERN)


@dataclass(frozen=True)
class ExpiredDirectory:
    """A directory of a closed job, to be removed."""

    job_id: str
    path: Path
    #: When the job was closed, or something in its directory changed last; seconds since 1970.
    ended_at: float

    @property
    def is_half_removed(self) -> bool:
        """Whether somebody has begun to remove it."""
        return self.path.name.startswith(_HIDDEN)


def hidden_name(job_id: str) -> str:
    """Return how the directory of a job is called while it is removed."""
    return _HIDDEN + job_id


def expired_directories(
    jobs: Path, keep: timedelta, retention: timedelta, states: States
) -> Iterator[list[ExpiredDirectory]]:
    """Yield the directories that are to be removed, batch by batch, also empty ones: there a caller may stop. Blocks.

    Only a folder that holds the parameters of the job that it is named for, and is no link, is one of ours; only that of a
    job that the ledger has closed or forgotten has expired, so many days after its end. No job is forgotten before its
    retention is over: a ledger that does not know a younger one is new, or another, and the job may be running.

    Args:
        jobs: the folder of the job directories.
        keep: how long the directory of a closed job is kept.
        retention: how long the ledger knows a closed job.
        states: what the ledger says; whatever it raises ends the search.
    """
    now = time.time()
    before, forgotten_before = now - keep.total_seconds(), now - max(keep, retention).total_seconds()
    if not jobs.is_dir():  # there was no job yet
        return
    with os.scandir(jobs) as entries:
        while batch := list(itertools.islice(entries, _BATCH)):
            old = [found for entry in batch if (found := _old(entry, before)) is not None]
            known = states([found.job_id for found in old if not found.is_half_removed]) if old else {}
            yield [f for f in old if f.is_half_removed or _is_over(known[f.job_id], f.ended_at < forgotten_before)]


def _is_over(state: JobState | None, may_be_forgotten: bool) -> bool:  # noqa: FBT001 - ours alone
    return may_be_forgotten if state is None else state.is_terminal


def _old(entry: "os.DirEntry[str]", before: float) -> ExpiredDirectory | None:
    """Return the directory if it is one of ours and nothing has happened there since."""
    path, job_id = Path(entry.path), entry.name.removeprefix(_HIDDEN)
    try:
        if not _JOB_ID.fullmatch(job_id) or not entry.is_dir(follow_symlinks=False):
            return None
        if job_id != entry.name:
            return ExpiredDirectory(job_id, path, entry.stat(follow_symlinks=False).st_mtime)
        ended_at = _ended_at(path)
        return ExpiredDirectory(job_id, path, ended_at) if ended_at < before and _is_ours(path) else None
    except OSError:  # it is being removed, or not ours
        return None


def _ended_at(path: Path) -> float:
    try:
        return os.lstat(path / RECORD_FILE).st_mtime
    except FileNotFoundError:  # it was closed by another than its Executor, or is open
        return max(_changes(path))


def _changes(path: Path) -> Iterator[float]:
    """Yield when a job's directory was changed, and its attempts, and what lies in them."""
    yield os.lstat(path).st_mtime
    with os.scandir(path) as entries:
        for entry in entries:
            yield entry.stat(follow_symlinks=False).st_mtime
            if entry.is_dir(follow_symlinks=False):
                with os.scandir(entry.path) as inner:
                    yield from (one.stat(follow_symlinks=False).st_mtime for one in itertools.islice(inner, _LOOKED_AT))


def _is_ours(path: Path) -> bool:
    parameters = path / PARAMETERS_FILE
    facts = os.lstat(parameters)
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > _LARGEST:
        return False
    try:
        return JobSpec.model_validate_json(parameters.read_bytes()).id == path.name
    except ValidationError:
        return False
