"""What producers ask of the list of all jobs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import keys
from ..states import JobState
from .command import Command

__all__ = ["JobFacts", "Listed", "job_exists", "list_jobs", "read_facts"]


@dataclass(frozen=True)
class Listed:
    """A job in the list: its id, and when it was submitted, in milliseconds since the epoch."""

    job_id: str
    at: int


@dataclass(frozen=True)
class JobFacts:
    """What decides whether a job is one of those that are looked for."""

    state: JobState
    task: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)


def list_jobs(
    limit: int, *, before_ms: int | None = None, since_ms: int | None = None, skip: int = 0
) -> Command[list[Listed]]:
    """Read which jobs were submitted last, newest first.

    Args:
        limit: how many.
        before_ms: none that were submitted later than this.
        since_ms: none that were submitted earlier than this.
        skip: leave out so many of the newest of these; they are known already.
    """
    bounds = ("+inf" if before_ms is None else before_ms, "-inf" if since_ms is None else since_ms)
    words = ("ZRANGE", keys.JOBS, *bounds, "BYSCORE", "REV", "LIMIT", skip, limit, "WITHSCORES")

    def read(answer: Sequence[bytes]) -> list[Listed]:
        return [Listed(i.decode(), int(float(at))) for i, at in zip(answer[::2], answer[1::2], strict=True)]

    return Command(words, read)


def read_facts(job_id: str, *, state_only: bool) -> Command[JobFacts | None]:
    """Read what a record is filtered by; `None` when there is none."""
    wanted = ("state",) if state_only else ("state", "spec")

    def read(answer: Sequence[bytes | None]) -> JobFacts | None:
        state, *rest = answer
        if state is None:
            return None
        spec = json.loads(rest[0]) if rest and rest[0] else {}
        return JobFacts(JobState(state.decode()), spec.get("task", ""), spec.get("parameters", {}))

    return Command(("HMGET", keys.record(job_id), *wanted), read)


def job_exists(job_id: str) -> Command[bool]:
    """Ask whether there is a record with this id."""
    return Command(("EXISTS", keys.record(job_id)), bool)
