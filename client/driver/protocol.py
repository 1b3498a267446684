"""The lines of the driver protocol, both ways; docs/drive.md explains them."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from ...communicators import FailureReason, JobState, Stream
from ...config import Limits, RetryPolicy

__all__ = [
    "PROTOCOL",
    "AboutJob",
    "AcceptedLine",
    "AdvanceFacts",
    "Answer",
    "CancelRequest",
    "ClosedLine",
    "ErrorLine",
    "FinishedLine",
    "JobsLine",
    "LeftLine",
    "ListRequest",
    "LogLine",
    "PauseRequest",
    "ProgressLine",
    "ReadyLine",
    "Ref",
    "Request",
    "ResumeRequest",
    "SendRequest",
    "ShutdownRequest",
    "StatusLine",
    "StatusRequest",
    "SubmitRequest",
]

#: Rises when a driver that was written for the last one would not understand this one.
PROTOCOL = 1

#: What a driver calls a request by; its answer brings it back.
Ref = bool | int | float | str | None

#: More would be no time that anything can wait for.
_Seconds = Annotated[float, Field(ge=0, le=1e9)]


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, ser_json_inf_nan="strings")

    kind: str
    ref: Ref = None


class SubmitRequest(_Line):
    """Take a job into the queue; the answer is `accepted`."""

    kind: Literal["submit"]
    #: A name in the catalogue.
    task: str
    parameters: dict[str, JsonValue] = {}
    #: In place of the task's.
    limits: Limits | None = None
    #: In place of the task's.
    retry: RetryPolicy | None = None
    #: Tasklets before the program, as words or mappings.
    before: tuple[str | dict[str, JsonValue], ...] = ()
    #: Tasklets after the program, likewise.
    after: tuple[str | dict[str, JsonValue], ...] = ()
    #: Names of tasklets that the task brings and this job does without.
    without: tuple[str, ...] = ()
    #: The first job submitted with this key is accepted again instead of a new one.
    idempotency_key: str | None = Field(default=None, min_length=1)
    #: While the queue is full, wait for a place.
    block: bool = False
    #: Seconds to wait for a place; `None`: for ever.
    timeout: _Seconds | None = None


class CancelRequest(_Line):
    """Stop a job; the answer is its `status`."""

    kind: Literal["cancel"]
    job: str


class PauseRequest(_Line):
    """Have a job's program stand still; the answer is its `status`."""

    kind: Literal["pause"]
    job: str


class ResumeRequest(_Line):
    """Let a paused program go on; the answer is its `status`."""

    kind: Literal["resume"]
    job: str


class SendRequest(_Line):
    """Send a value to a job's task; the answer is its `status`."""

    kind: Literal["send"]
    job: str
    value: JsonValue


class StatusRequest(_Line):
    """Say where a job stands; the answer is its `status`."""

    kind: Literal["status"]
    job: str


class ListRequest(_Line):
    """Say where the open jobs stand; the answer is `jobs`."""

    kind: Literal["list"]
    #: Those that have ended as well, as far as they are remembered.
    all: bool = False


class ShutdownRequest(_Line):
    """Accept nothing more, and end; the answer is `closed`."""

    kind: Literal["shutdown"]
    #: Seconds for which running jobs may go on; then they are cancelled.
    grace: _Seconds = 0.0


#: What is asked of, or about, one job.
AboutJob = CancelRequest | PauseRequest | ResumeRequest | SendRequest | StatusRequest
Request = SubmitRequest | AboutJob | ListRequest | ShutdownRequest


class Answer(_Line):
    """A line to the driver."""

    def to_line(self) -> bytes:
        """Return it as JSON in UTF-8; what was not asked for, or asked without a `ref`, has none."""
        left_out: Any = {"ref"} if self.ref is None else None
        try:
            text = self.model_dump_json(exclude=left_out)
        except ValueError:  # a file's name that is no Unicode, say
            text = json.dumps(self.model_dump(mode="json", exclude=left_out), ensure_ascii=False)
        return text.encode(errors="replace") + b"\n"


class ReadyLine(Answer):
    """The first line: from now on requests are read."""

    kind: Literal["ready"] = "ready"
    protocol: int = PROTOCOL
    #: Of Outrider.
    version: str
    pid: int
    strategy: str
    #: Seconds between two status lines about a running job.
    status_interval: float


class AcceptedLine(Answer):
    """A job was opened, and this is its id."""

    kind: Literal["accepted"] = "accepted"
    job: str
    task: str
    #: Whether it is a job of this session already: the first one with its idempotency key.
    again: bool = False


class ErrorLine(Answer):
    """A request was refused; nothing has changed."""

    kind: Literal["error"] = "error"
    #: The name of the error's class.
    error: str
    message: str
    job: str | None = None

    @classmethod
    def of(cls, error: Exception, ref: Ref = None, job: str | None = None) -> "ErrorLine":
        """Return the line for an error."""
        return cls(ref=ref, error=type(error).__name__, message=str(error), job=job)


class AdvanceFacts(BaseModel):
    """How far a program is; `total` is 0 when it is unknown."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")

    done: float
    total: float
    unit: str


class StatusLine(Answer):
    """Where a job stands: it was asked for, the state has changed, or it has run on for the status interval."""

    kind: Literal["status"] = "status"
    job: str
    task: str
    state: JobState
    attempt: int
    #: Seconds since the attempt's program has started.
    elapsed: float | None = None
    #: Resident bytes of the program and all that it has started, at its last heartbeat.
    rss: int | None = None
    #: CPU seconds of them.
    cpu: float | None = None
    progress: AdvanceFacts | None = None


class JobsLine(Answer):
    """Where the jobs stand, the first accepted first."""

    kind: Literal["jobs"] = "jobs"
    jobs: tuple[StatusLine, ...]
    #: How many lines that nobody asked for have made room so far, because the driver did not read.
    dropped: int


class ProgressLine(Answer):
    """A program has said how far it is; `total` is 0 when it is unknown."""

    kind: Literal["progress"] = "progress"
    job: str
    done: float
    total: float
    unit: str
    #: The part that is done, 0 to 1.
    fraction: float | None


class LogLine(Answer):
    """A program has printed lines; `dropped` ones before them are only in the job's directory."""

    kind: Literal["log"] = "log"
    job: str
    stream: Stream
    lines: tuple[str, ...]
    dropped: int


class FinishedLine(Answer):
    """A job has ended: the last line about it that nobody asks for."""

    kind: Literal["finished"] = "finished"
    job: str
    task: str
    state: JobState
    reason: FailureReason | None
    #: What failed, with which value.
    error: str
    stderr_tail: tuple[str, ...]
    exit_code: int | None
    signal: str | None
    #: As JSON; a line of text in place of each part that is no JSON, or large.
    result: Any
    #: The files that the job has made, by parameter.
    outputs: dict[str, str]
    warnings: tuple[str, ...]


class LeftLine(Answer):
    """The session ends before a job has: it goes on without us."""

    kind: Literal["left"] = "left"
    job: str
    state: JobState


class ClosedLine(Answer):
    """The last line."""

    kind: Literal["closed"] = "closed"
    #: Why the session ends.
    reason: Literal["end_of_input", "shutdown", "signal", "output_closed", "defect"]
    #: How many of the accepted jobs are in which state now.
    jobs: dict[JobState, int]
    #: How many lines that nobody asked for have made room, because the driver did not read.
    dropped: int
