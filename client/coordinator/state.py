"""Which jobs a coordinator has opened, and which of them have ended."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

from ...communicators import Outcome
from ...config.errors import DuplicateJob, JobClosed, JobNotFound, NoOutcome

__all__ = ["CoordinatorState", "JobEntry"]

#: Closed jobs that are remembered; the ledger may know more of them, and for longer.
_MOST_CLOSED = 10_000


@dataclass(frozen=True)
class JobEntry:
    """One job of a coordinator: open until it has an outcome."""

    job_id: str
    #: The task's name.
    task: str
    #: The strategy that it was submitted to.
    mode: str
    opened_at: datetime
    closed_at: datetime | None = None
    outcome: Outcome | None = None

    @property
    def is_open(self) -> bool:
        """Whether the job has not ended."""
        return self.outcome is None


class CoordinatorState:
    """The entries of a coordinator's jobs: each is added once and ended once."""

    def __init__(self, job_list: Iterable[JobEntry] = ()) -> None:
        """Begin with some entries."""
        self._entries: dict[str, JobEntry] = {}
        self._closed: deque[str] = deque()
        for entry in job_list:
            self._put(entry)

    @classmethod
    def empty(cls) -> Self:
        """Return a state without jobs."""
        return cls()

    def __iter__(self) -> Iterator[JobEntry]:
        return iter(list(self._entries.values()))

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._entries

    def __getitem__(self, job_id: str) -> JobEntry:
        """Return a job's entry. Raises `JobNotFound`."""
        try:
            return self._entries[job_id]
        except KeyError:
            raise JobNotFound(job_id) from None

    @property
    def open_jobs(self) -> tuple[JobEntry, ...]:
        """The jobs that have not ended, the first opened first."""
        return tuple(entry for entry in self._entries.values() if entry.is_open)

    @property
    def closed_jobs(self) -> tuple[JobEntry, ...]:
        """The jobs that have ended, as far as they are remembered, the first ended first."""
        return tuple(self._entries[job_id] for job_id in self._closed)

    def add_job(self, job_id: str, task: str, mode: str) -> JobEntry:
        """Open a job. Raises `DuplicateJob` when there is one with this id."""
        if job_id in self._entries:
            raise DuplicateJob(job_id)
        return self._put(JobEntry(job_id, task, mode, datetime.now(UTC)))

    def end_job(self, job_id: str, result: Outcome) -> JobEntry:
        """End a job.

        Raises:
            JobNotFound: when there is no such job.
            JobClosed: when it has ended already.
            NoOutcome: when the result is no outcome in a terminal state.
        """
        entry = self[job_id]
        if entry.outcome is not None:
            raise JobClosed(job_id, entry.outcome.state)
        if not isinstance(result, Outcome) or not result.state.is_terminal:
            raise NoOutcome(job_id, _described(result))
        return self._put(replace(entry, outcome=result, closed_at=datetime.now(UTC)))

    def _put(self, entry: JobEntry) -> JobEntry:
        self._entries[entry.job_id] = entry
        if not entry.is_open:
            self._closed.append(entry.job_id)
            if len(self._closed) > _MOST_CLOSED:
                del self._entries[self._closed.popleft()]
        return entry


def _described(value: Any) -> str:
    return f"an outcome that is {value.state}" if isinstance(value, Outcome) else repr(value)
