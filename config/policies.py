"""What bounds a job, and when it may run again: declared by its task, kept in its record."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ByteSize, ConfigDict, Field, WithJsonSchema

from .durations import Duration

__all__ = ["Limits", "QueueName", "RetryPolicy"]

#: The name of a queue; it is that of a key in Redis, beside which other keys have a colon or begin with `_`.
QueueName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=200)]

_Positive = Annotated[Duration, Field(gt=timedelta(0))]
_SIZE_SCHEMA = {
    "description": "bytes, or a number with a unit: 500MB, 8GiB",
    "anyOf": [{"type": "integer"}, {"type": "string", "pattern": r"^\s*\d*\.?\d+\s*\w*\s*$"}],
}
_Size = Annotated[ByteSize, Field(gt=0), WithJsonSchema(_SIZE_SCHEMA, mode="validation")]


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
    memory: _Size | None = None


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
