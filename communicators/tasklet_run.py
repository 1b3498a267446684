"""What became of one tasklet of a job."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ..tasklets import Shown
from .values import Reference

__all__ = ["TaskletRun", "TaskletState"]


class TaskletState(StrEnum):
    """How a tasklet ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    #: Its condition was not met, or what it needs is not there.
    SKIPPED = "skipped"


class TaskletRun(BaseModel):
    """One tasklet before or after a job's program: with what it was called, how it ended, and what it has to show."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants")

    #: Its Celery id, under which Flower lists it.
    id: str
    tasklet: str
    place: Literal["before", "after"]
    #: Its number there, from 1.
    number: int
    #: Its arguments as they were given to it, for people.
    arguments: str = ""
    required: bool = True
    #: The queue that it was sent to; empty: it ran in the job's own slot.
    queue: str = ""
    state: TaskletState
    error: str = ""
    #: What it printed, the end of it.
    printed: str = ""
    elapsed_seconds: float = 0.0
    #: What it returned, as it is shown.
    parts: tuple[Shown, ...] = ()
    #: The files among these that were kept with the job, by name.
    files: dict[str, Reference] = {}

    def order(self) -> tuple[bool, int]:
        """Return what runs are sorted by."""
        return (self.place == "after", self.number)

    @property
    def ok(self) -> bool:
        """Whether it did what it was asked to, or was not to run."""
        return self.state in (TaskletState.SUCCEEDED, TaskletState.SKIPPED)
