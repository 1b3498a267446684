"""A job's record, wherever it is still known: in the ledger, or else in the job's directory."""

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from ..communicators import JobRecord, JobSpec, Outcome, RedisClient, commands, read_record
from ..config.errors import AmbiguousJob, JobNotFound, RecordDamaged
from .listing import SHORTEST_PREFIX, find_id

__all__ = ["FoundRecord", "find_record"]

#: What may name a job's directory.
_PLAIN_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_ATTEMPT = re.compile(r"attempt-(\d+)")


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
        return FoundRecord(_read_folder(folder), folder)
    except FileNotFoundError:
        raise JobNotFound(word) from None


def _folder_of(jobs_directory: Path, word: str) -> Path:
    if not _PLAIN_WORD.fullmatch(word):
        raise JobNotFound(word)
    if (jobs_directory / word).is_dir() or len(word) < SHORTEST_PREFIX or not jobs_directory.is_dir():
        return jobs_directory / word
    names = [name for name in os.listdir(jobs_directory) if name.startswith(word) and _PLAIN_WORD.fullmatch(name)]
    if len(names) > 1:
        raise AmbiguousJob(word, sorted(names)[:10])
    return jobs_directory / (names[0] if names else word)


def _read_folder(folder: Path) -> JobRecord:
    try:
        return read_record(folder)
    except FileNotFoundError:
        return _pieced_together(folder)


def _pieced_together(folder: Path) -> JobRecord:
    """Return what a directory without a record tells: an older version wrote what went in and how it ended."""
    submitted, ended = folder / "parameters.json", folder / "outcome.json"
    try:
        spec = JobSpec.model_validate_json(submitted.read_bytes())
        outcome = Outcome.model_validate_json(ended.read_bytes())
        attempts = [int(found[1]) for name in os.listdir(folder) if (found := _ATTEMPT.fullmatch(name))]
    except FileNotFoundError:
        raise
    except (OSError, ValidationError) as error:
        raise RecordDamaged(str(folder), str(error).partition("\n")[0]) from error
    return JobRecord(
        spec=spec,
        state=outcome.state,
        attempt=max(attempts, default=0),
        queued_at=_changed(submitted),
        ended_at=_changed(ended),
        outcome=outcome,
    )


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
