"""A job's record, wherever it is still known: in the ledger, or else in the job's directory."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..communicators import JOB_ID_PATTERN, RECORD_FILE, JobRecord, RedisClient, commands, read_record
from ..config.errors import AmbiguousJob, JobNotFound, RecordDamaged
from .listing import SHORTEST_PREFIX, find_id

__all__ = ["FoundRecord", "find_record"]

_JOB_ID = re.compile(JOB_ID_PATTERN)


@dataclass(frozen=True)
class FoundRecord:
    """A record, and the folder that it was read from when the ledger has forgotten it."""

    record: JobRecord
    folder: Path | None = None


def find_record(redis: RedisClient, jobs_directory: Path, word: str) -> FoundRecord:
    """Return the record of the job whose id is this word, or alone begins with it.

    Raises:
        JobNotFound: when neither the ledger nor a directory knows one.
        AmbiguousJob: when there are several.
        RecordDamaged: when the one on disk makes no sense.
    """
    try:
        return FoundRecord(redis.run(commands.read_record(find_id(redis, word))))
    except JobNotFound:
        folder = _folder_of(jobs_directory, word)
    try:
        record = read_record(folder)
    except FileNotFoundError:
        raise JobNotFound(word) from None
    if record.id != folder.name:  # its program may have written it, to have another folder taken for the job's
        raise RecordDamaged(str(folder / RECORD_FILE), f"it is that of another job, {record.id}")
    return FoundRecord(record, folder)


def _folder_of(jobs_directory: Path, word: str) -> Path:
    if not _JOB_ID.fullmatch(word):
        raise JobNotFound(word)
    if (jobs_directory / word).is_dir() or len(word) < SHORTEST_PREFIX or not jobs_directory.is_dir():
        return jobs_directory / word
    names = [name for name in os.listdir(jobs_directory) if name.startswith(word) and _JOB_ID.fullmatch(name)]
    if len(names) > 1:
        raise AmbiguousJob(word, sorted(names)[:10])
    return jobs_directory / (names[0] if names else word)
