"""One call of a tasklet: what is asked of the process that runs it, and what is answered."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ..tasklets import Shown

__all__ = ["TaskletAnswer", "TaskletEnd", "TaskletRequest", "TaskletSaid"]


class TaskletEnd(StrEnum):
    """How a call ended."""

    RETURNED = "returned"
    RAISED = "raised"
    #: It ended its process with an exit code, by `sys.exit` or otherwise.
    EXITED = "exited"
    #: A signal ended its process.
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    #: Whoever asked wants no answer any more.
    STOPPED = "stopped"


class TaskletRequest(BaseModel):
    """What to call, with what, and where."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    #: The working directory of the call.
    directory: Path
    #: Where files go that show what was returned.
    folder: Path
    #: Variables beside those that every tasklet gets.
    environment: dict[str, str] = {}
    time_limit: timedelta | None = Field(default=None, gt=timedelta(0))
    #: The most bytes of private memory; `None`: what the machine has.
    memory: int | None = Field(default=None, gt=0)


class TaskletAnswer(BaseModel):
    """How a call ended and what came of it. Every text and list in it is bounded."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    ended: TaskletEnd
    #: What was returned, as it is to be shown.
    parts: tuple[Shown, ...] = ()
    #: What was returned, as JSON; only `has_value` says whether there is any.
    value: Any = None
    #: `False` when nothing was returned that is JSON and not too large.
    has_value: bool = False
    #: What was wrong, in one sentence; `None` only when it returned.
    error: str | None = None
    #: The last lines of the traceback of what was raised.
    traceback: str = ""
    #: The end of what was printed, standard output and error together.
    printed: str = ""
    exit_code: int | None = None
    signal: str | None = None
    elapsed_seconds: float = 0.0
    #: Bytes; includes those of the process that it was forked from.
    peak_rss: int = 0

    @property
    def ok(self) -> bool:
        """Whether the tasklet returned."""
        return self.ended is TaskletEnd.RETURNED


class TaskletSaid(TaskletAnswer):
    """What the process of a call says itself."""

    #: Large libraries that it had to import.
    imported: tuple[str, ...] = ()
