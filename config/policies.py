"""What bounds a job, and when it may run again: declared by its task, kept in its record."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ByteSize, ConfigDict, Field

from .durations import Duration

__all__ = ["Limits", "RetryPolicy"]

_Positive = Annotated[Duration, Field(gt=timedelta(0))]


class Limits(BaseModel):
    """Bounds on a job; `None`: no bound. Durations take seconds or `90s`, `5m`, `2h`; memory takes bytes or `2GiB`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: From the program's start to its end, without the time it was paused.
    run: _Positive | None = None
    #: Without a byte on standard output or error.
    no_output: _Positive | None = None
    #: From submission to the claim.
    queue: _Positive | None = None
    #: From the claim to the program's start.
    preparation: _Positive | None = None
    #: Resident bytes of the program and all that it started, together.
    memory: Annotated[ByteSize, Field(gt=0)] | None = None


class RetryPolicy(BaseModel):
    """When a job that failed, or whose worker was lost, gets another attempt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Attempts in all, for ends that are listed here.
    max_attempts: int = Field(default=3, ge=1)
    exit_codes: frozenset[int] = frozenset()
    #: Names such as `SIGKILL`.
    signals: frozenset[str] = frozenset()
    #: Whether the job may run again when its worker went away.
    on_loss: bool = True
    #: The pause before the second attempt; it doubles with each further one.
    backoff: Duration = timedelta(seconds=1)
    longest_backoff: Duration = timedelta(minutes=5)

    def pause_before(self, attempt: int) -> timedelta:
        """Return how long to wait before this attempt (2, 3, ...)."""
        doubled: timedelta = self.backoff * 2 ** min(attempt - 2, 32)
        return min(doubled, self.longest_backoff)
