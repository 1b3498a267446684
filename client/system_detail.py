"""How things stand, at one moment: jobs by state, what waits where, and who works. Nothing in it can be changed."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from ..communicators import JobState

__all__ = ["JobCounts", "QueueDetail", "StrategyDetail", "SystemDetail", "WorkerDetail"]


class _Detail(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class JobCounts(_Detail):
    """How many jobs are in each state."""

    queued: int = 0
    starting: int = 0
    running: int = 0
    paused: int = 0
    cancelling: int = 0
    succeeded: int = 0
    failed: int = 0
    timed_out: int = 0
    cancelled: int = 0
    lost: int = 0

    def of(self, state: JobState) -> int:
        """Return how many are in a state."""
        count: int = getattr(self, state)
        return count

    @property
    def open(self) -> int:
        """How many have not ended."""
        return sum(self.of(state) for state in JobState if not state.is_terminal)

    def __add__(self, other: Self) -> Self:
        return type(self)(**{state: self.of(state) + other.of(state) for state in JobState})


class QueueDetail(_Detail):
    """One queue: how many jobs wait in it."""

    name: str
    queued: int
    #: How many jobs may wait, in all queues of the strategy together; 0: no bound.
    limit: int = 0


class WorkerDetail(_Detail):
    """One process that carries out jobs, as it was heard last."""

    name: str
    host: str
    pid: int
    #: Where its slots live: a value of the setting `pool`.
    pool: str = ""
    #: By the clock of its host.
    started_at: datetime | None = None
    #: Seconds since it was last heard; 0 for a process of our own.
    heartbeat_age_seconds: float = 0.0
    #: Whether several of its heartbeats in a row were not heard: it hangs, is cut off, or has died.
    silent: bool = False
    #: How many jobs it carries out at once, and how many it does now.
    slots: int
    running: int = 0
    #: The queues that it takes jobs from.
    queues: tuple[str, ...] = ()
    #: Of Outrider.
    version: str = ""
    python_version: str = ""


class StrategyDetail(_Detail):
    """How one strategy stands."""

    #: The mode that jobs are submitted with.
    mode: str
    #: Why nothing more is known, if so.
    problem: str = ""
    jobs: JobCounts = JobCounts()
    queues: tuple[QueueDetail, ...] = ()
    workers: tuple[WorkerDetail, ...] = ()
    #: How many jobs can be carried out at once: on a cluster, by the workers that are heard.
    slots: int = 0


class SystemDetail(_Detail):
    """How all strategies of a coordinator stand."""

    at: datetime
    #: Whether jobs can be submitted.
    accepting: bool = True
    strategies: tuple[StrategyDetail, ...] = ()

    @property
    def jobs(self) -> JobCounts:
        """How many jobs are in each state, of all strategies together."""
        return sum((strategy.jobs for strategy in self.strategies), JobCounts())
