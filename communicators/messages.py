"""The typed facts about a job that travel between Executor and producer.

A message is JSON; `kind` says which class it is. Whoever carries it fills in the job, the attempt and the time, so a
program cannot claim to speak for another job. A reader skips kinds and versions that it does not know.
"""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from .outcome import Outcome
from .states import JobState
from .tasklet_run import TaskletRun
from .values import Reference, described

__all__ = [
    "Artifact",
    "Cancel",
    "Finished",
    "Heartbeat",
    "LogLines",
    "Message",
    "Pause",
    "Progress",
    "Raised",
    "Report",
    "Resume",
    "Returned",
    "Snapshot",
    "Stamp",
    "StateChanged",
    "Stream",
    "TaskletEnded",
    "UserMessage",
    "decode_message",
    "encode_message",
]

logger = logging.getLogger(__name__)

#: Where lines of output came from; `socket` are those that a program or task has sent as messages.
Stream = Literal["stdout", "stderr", "socket"]


class Stamp(BaseModel):
    """Who a message is about and when it was said, as its carrier knows it."""

    model_config = ConfigDict(frozen=True)

    job_id: str
    attempt: int
    at: datetime
    #: The stream entry's id: the position to read on from.
    position: str


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants")

    #: Who said it (`ledger`, `executor`, `stdout`, `stderr`, `socket`) and its number there, from 1: a gap shows a loss.
    source: str = "ledger"
    sequence: int = 0
    stamp: Stamp | None = Field(default=None, exclude=True)


class StateChanged(_Message):
    """The job entered a state that is not terminal."""

    kind: Literal["state"] = "state"
    state: JobState
    #: One line for people, such as the command that was started.
    note: str = ""

    def __str__(self) -> str:
        return f"{self.state}{': ' if self.note else ''}{self.note}"


#: From here on, places after the point are noise.
_LARGE = 1000


def _number(value: float) -> str:
    """Return a number for people: whole ones whole, others with as many places as matter."""
    return f"{value:.0f}" if value == round(value, 0) or abs(value) >= _LARGE else f"{value:.3g}"


class Progress(_Message):
    """How far the program is; `total` is 0 when it is unknown."""

    kind: Literal["progress"] = "progress"
    done: float
    total: float = 0.0
    unit: str = ""

    @property
    def fraction(self) -> float | None:
        """The part that is done, 0 to 1; `None` when the total is unknown."""
        return min(self.done / self.total, 1.0) if self.total > 0 else None

    def __str__(self) -> str:
        total = f"/{_number(self.total)}" if self.total else ""
        return f"progress: {_number(self.done)}{total}{' ' if self.unit else ''}{self.unit}"


class LogLines(_Message):
    """New lines of the program's output, oldest first; `dropped` lines before them are only in the log file."""

    kind: Literal["log"] = "log"
    stream: Stream
    lines: tuple[str, ...]
    dropped: int = 0

    def __str__(self) -> str:
        dropped = (f"{self.stream}: ({self.dropped} lines left out)",) if self.dropped else ()
        return "\n".join((*dropped, *(f"{self.stream}: {line}" for line in self.lines)))


class Report(_Message):
    """An object that the task or program reports while it runs.

    Between a first-party task and its Executor it is any Python object; in the ledger it is packed (see `packing`).
    """

    kind: Literal["report"] = "report"
    value: Any

    def __str__(self) -> str:
        return f"report: {described(self.value)}"


class Artifact(_Message):
    """A file that the task made to be kept: at `path` for the Executor, at `reference` for everybody."""

    kind: Literal["artifact"] = "artifact"
    name: str
    path: Path | None = None
    reference: Reference | None = None

    def __str__(self) -> str:
        size = f" ({self.reference.size} bytes)" if self.reference else ""
        return f"artefact: {self.name}{size}"


class Heartbeat(_Message):
    """A sign of life, also from a silent program: resident bytes and CPU seconds of its whole session."""

    kind: Literal["heartbeat"] = "heartbeat"
    pid: int
    elapsed_seconds: float
    rss: int
    cpu_seconds: float

    def __str__(self) -> str:
        return (
            f"running for {self.elapsed_seconds:.0f} s: pid {self.pid}, "
            f"{self.rss / 2**20:.0f} MiB, {self.cpu_seconds:.1f} CPU s"
        )


class Snapshot(_Message):
    """What a watcher who came late gets first: where the job stands, in place of what he missed."""

    kind: Literal["snapshot"] = "snapshot"
    state: JobState
    attempt: int = 0
    progress: Progress | None = None
    heartbeat: Heartbeat | None = None

    def __str__(self) -> str:
        progress = f", {self.progress}" if self.progress else ""
        return f"{self.state} in attempt {self.attempt}{progress}"


class Finished(_Message):
    """The terminal message: exactly one per job, and the last one."""

    kind: Literal["finished"] = "finished"
    outcome: Outcome

    def __str__(self) -> str:
        reason = f" ({self.outcome.reason})" if self.outcome.reason else ""
        detail = f": {self.outcome.message}" if self.outcome.error else ""
        warned = " with warnings" if self.outcome.warnings else ""
        return f"{self.outcome.state}{warned}{reason}{detail}"


class TaskletEnded(_Message):
    """A tasklet before or after the program has ended."""

    kind: Literal["tasklet"] = "tasklet"
    run: TaskletRun

    def __str__(self) -> str:
        detail = f": {self.run.error}" if self.run.error else ""
        return f"{self.run.tasklet} ({self.run.place}) {self.run.state}{detail}"


class Returned(_Message):
    """From a first-party task to its Executor, and no further: what `run` returned."""

    kind: Literal["returned"] = "returned"
    value: Any = None
    #: The names of the packages that the task's process had loaded, without those of Python itself.
    modules: tuple[str, ...] = ()


class Raised(_Message):
    """From a first-party task to its Executor, and no further: the exception that `run` ended with."""

    kind: Literal["raised"] = "raised"
    error: str


class UserMessage(_Message):
    """From a producer to a running task: whatever the two have agreed upon."""

    kind: Literal["message"] = "message"
    value: Any

    def __str__(self) -> str:
        return f"message: {described(self.value)}"


class Cancel(_Message):
    """From a producer or an operator to the Executor: stop the program."""

    kind: Literal["cancel"] = "cancel"


class Pause(_Message):
    """From a producer or an operator to the Executor: stop the program's clock and all of its processes."""

    kind: Literal["pause"] = "pause"


class Resume(_Message):
    """From a producer or an operator to the Executor: let a paused program go on."""

    kind: Literal["resume"] = "resume"


Message = (
    Cancel
    | Pause
    | Resume
    | UserMessage
    | Snapshot
    | StateChanged
    | Progress
    | LogLines
    | Report
    | Artifact
    | Heartbeat
    | TaskletEnded
    | Returned
    | Raised
    | Finished
)

_ADAPTER: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def encode_message(message: Message) -> bytes:
    """Return the message as JSON bytes, without its stamp."""
    return message.model_dump_json(exclude_defaults=False).encode()


def decode_message(job_id: str, position: bytes, fields: Mapping[bytes, bytes]) -> Message | None:
    """Read one entry of a job's stream; `None`, and a line in the log, for what this version does not understand."""
    try:
        message = _ADAPTER.validate_python(json.loads(fields[b"json"]))
        stamp = Stamp(
            job_id=job_id,
            attempt=int(fields[b"attempt"]),
            at=datetime.fromtimestamp(int(position.partition(b"-")[0]) / 1000, UTC),
            position=position.decode(),
        )
    except (ValidationError, ValueError, KeyError, RecursionError) as error:
        facts: dict[str, Any] = {"action": "message_skipped", "job_id": job_id}
        logger.warning(
            "skipped a message at %r that this version does not understand: %s", position, error, extra=facts
        )
        return None
    return message.model_copy(update={"stamp": stamp})
