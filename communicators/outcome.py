"""How a job ended, and what was measured on the way."""

from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from .states import JobState
from .values import Reference

__all__ = ["Exit", "FailureReason", "Outcome", "OutputFile"]


class FailureReason(StrEnum):
    """Why a job is `failed`."""

    EXIT_CODE = "exit_code"
    SIGNAL = "signal"
    #: A first-party task raised it.
    EXCEPTION = "exception"
    MISSING_OUTPUT = "missing_output"
    #: The program ended well, but the task could not read a result from what it left.
    RESULT = "result"
    TASKLET = "tasklet"
    VALIDATION = "validation"
    ENVIRONMENT = "environment"
    OUT_OF_MEMORY = "out_of_memory"
    CRASH_LIMIT = "crash_limit"
    #: A defect of Outrider's own; the worker's log has the traceback.
    INTERNAL = "internal"


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants")


class Exit(_Fact):
    """How a program ended: an exit code or a signal, and what the kernel counted for it and the children it waited for."""

    exit_code: int | None = None
    #: The signal's name, such as `SIGKILL`.
    signal: str | None = None
    #: Peak resident memory, bytes: of the largest process (`getrusage(2)`) or of the session at a heartbeat, whichever is
    #: more; 0 when the program was too short and too small to be seen.
    peak_rss: int = 0
    #: User and system time, seconds.
    cpu_seconds: float = 0.0
    #: Wall-clock time from start to end, seconds.
    elapsed_seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the program ended with exit code 0."""
        return self.exit_code == 0


class OutputFile(_Fact):
    """A declared output as it was found after the program: where it is, its size in bytes and its sha256 in hex."""

    path: Path
    size: int
    #: Empty for a partial one that is too large to be hashed before the job's end.
    sha256: str
    #: Whether the program did not end well, or left others out: nobody vouches that the file is whole.
    partial: bool = False


class Outcome(_Fact):
    """The terminal state of a job with its reason, result and traces."""

    state: JobState
    reason: FailureReason | None = None
    #: What failed, with which value; empty on success.
    error: str = ""
    #: The last lines of standard error, oldest first.
    stderr_tail: tuple[str, ...] = ()
    exit: Exit | None = None
    #: By field. Those of a job that did not succeed are partial, unless only its result could not be read.
    outputs: dict[str, OutputFile] = {}
    #: The files that the task asked to be kept, by name.
    artifacts: dict[str, Reference] = {}
    #: What did not go as it should and did not matter: a tasklet that is not required, say.
    warnings: tuple[str, ...] = ()
    #: The task's result as JSON values; `None` is a result, too.
    result: Any = None

    @property
    def message(self) -> str:
        """The error and the last stderr lines, for people."""
        return "\n".join((self.error, *(f"  | {line}" for line in self.stderr_tail)))
