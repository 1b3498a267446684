"""The record of a job, from its submission on."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from ..config import Limits, RetryPolicy
from ..tasklets import TaskletCall
from .messages import Heartbeat, Progress, Snapshot, Stamp
from .outcome import Exit, FailureReason, Outcome
from .states import JobState
from .tasklet_run import TaskletRun

__all__ = [
    "ATTEMPT_PREFIX",
    "JOB_ID_PATTERN",
    "AttemptFacts",
    "Claim",
    "InputFile",
    "JobRecord",
    "JobSpec",
    "Provenance",
    "RunFacts",
    "Wanted",
    "Wish",
    "moment",
    "tasklet_field",
    "text_fields",
]

#: Before the number of an attempt in the name of its field.
ATTEMPT_PREFIX = "attempt:"
#: Before the place and number of a tasklet in the name of its field.
_TASKLET_PREFIX = "tasklet:"
#: A regular expression for ids. An id names the job's directory, so it is a plain word.
JOB_ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}"


class JobSpec(BaseModel):
    """What was submitted. It never changes."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    id: str = Field(pattern=rf"^{JOB_ID_PATTERN}$")
    task: str
    version: str
    #: What tells whether producer and worker read the same description: of its file; empty: nobody knows.
    definition: str = ""
    #: The task's parameters as JSON values.
    parameters: dict[str, Any]
    queue: str
    #: The job or pipeline that this job belongs to.
    parent_id: str | None = None
    limits: Limits = Limits()
    retry: RetryPolicy = RetryPolicy()
    #: Whether two attempts must never run at the same time, even if that means to stop one that cannot reach the ledger.
    exclusive: bool = False
    #: `user@host` of the producer; empty when the message came from a producer without Outrider.
    submitted_by: str = ""
    #: The job whose task and parameters this one repeats.
    rerun_of: str | None = None
    #: The tasklets around the task, in order.
    before: tuple[TaskletCall, ...] = ()
    after: tuple[TaskletCall, ...] = ()


class Wish(StrEnum):
    """What somebody wants of a job's Executor. The newest counts; `cancel` stays."""

    NOTHING = ""
    CANCEL = "cancel"
    PAUSE = "pause"


@dataclass(frozen=True)
class Wanted:
    """What the ledger answers to an Executor's every word: the newest wish, and how many messages its task was sent.

    `again` is how often a cancel was asked for once more.
    """

    wish: Wish = Wish.NOTHING
    sent: int = 0
    again: int = 0


class AttemptFacts(BaseModel):
    """An attempt that was not the last: who made it, and how it ended (`lost`: nobody knows)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    worker: str
    state: JobState
    reason: FailureReason | None = None
    error: str = ""
    exit: Exit | None = None


class RunFacts(BaseModel):
    """What an attempt is made of, known when its program starts."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str
    pid: int
    argv: tuple[str, ...]
    #: The program's path: not always the first word, which may start another.
    program: str = ""
    directory: Path
    #: Variables that the program sees and the worker does not, or that differ.
    environment: dict[str, str] = {}
    #: Variables that the worker has and the program does not see.
    unset: tuple[str, ...] = ()
    #: The task's parameters where tasklets have changed them; `None`: they are those that were submitted.
    parameters: dict[str, Any] | None = None

    @property
    def task_variables(self) -> dict[str, str]:
        """The variables, without those by which Outrider knows its own."""
        return {name: value for name, value in self.environment.items() if not name.startswith("OUTRIDER_")}

    @property
    def command(self) -> str:
        """The command as a shell would take it."""
        return shlex.join(self.argv)


class InputFile(BaseModel):
    """An input as it was found before the program started: its size in bytes, when it was changed, its sha256 in hex."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    size: int
    modified: datetime
    #: Empty: not asked for, not known in time, or the file changed meanwhile.
    sha256: str = ""


class Provenance(BaseModel):
    """What a result depends on beside its parameters; gathered while the program runs, known when the job is closed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    outrider_version: str = ""
    #: The first line that the program prints when asked for its version; empty: not asked.
    program_version: str = ""
    #: The operating system and processor of the host.
    platform: str = ""
    python_version: str = ""
    #: Versions of the Python packages that were loaded in the process that made the result, by name.
    packages: dict[str, str] = {}
    #: The input files, by path; of very many, the first.
    inputs: dict[str, InputFile] = {}
    #: How many more there were.
    inputs_left_out: int = 0


class Claim(BaseModel):
    """The right to carry out one attempt of a job: every write shows the token, and a newer claim makes it void."""

    model_config = ConfigDict(frozen=True)

    spec: JobSpec
    token: int
    attempt: int
    worker: str
    #: By the ledger's clock.
    queued_at: datetime | None = None
    claimed_at: datetime | None = None
    #: The attempts before this one, by number.
    attempts: dict[int, AttemptFacts] = {}

    @property
    def cookie(self) -> str:
        """What the processes of this attempt carry, and those of no other."""
        return f"{self.spec.id}/{self.token}"


class JobRecord(BaseModel):
    """Everything the ledger knows about a job; in the job's directory, once it is closed, what its Executor knew.

    There, the start and the end are by the clock of the worker's host.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants")

    spec: JobSpec
    state: JobState
    attempt: int = 0
    worker: str = ""
    #: What somebody wants of the Executor: `cancel`, `pause`, or nothing.
    wish: Wish = Wish.NOTHING
    #: How many messages producers have sent to the task.
    sent: int = 0
    queued_at: datetime
    #: When the last attempt was claimed, when its program started, and when the job was closed; all by the ledger's clock.
    claimed_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    run: RunFacts | None = None
    progress: Progress | None = None
    heartbeat: Heartbeat | None = None
    provenance: Provenance | None = None
    outcome: Outcome | None = None
    #: The attempts before the last, by number.
    attempts: dict[int, AttemptFacts] = {}
    #: The tasklets that the last attempt has run or passed over, in order.
    tasklets: tuple[TaskletRun, ...] = ()

    @property
    def id(self) -> str:
        """The job's id, given by the system; also its Celery task id."""
        return self.spec.id

    def snapshot(self) -> Snapshot | None:
        """Return where the job stands; `None` while nothing has happened."""
        if self.state is JobState.QUEUED and self.attempt == 0:
            return None
        stamp = Stamp(job_id=self.id, attempt=self.attempt, at=datetime.now(UTC), position="0")
        newest = {"progress": self.progress, "heartbeat": self.heartbeat}
        return Snapshot(state=self.state, attempt=self.attempt, stamp=stamp, **newest)

    @classmethod
    def from_fields(cls, fields: Mapping[bytes, bytes]) -> Self:
        """Build the record from the fields of its Redis hash; fields of a newer version are left alone."""
        values: dict[str, Any] = {}
        for raw_name, raw in fields.items():
            name = raw_name.decode(errors="replace")
            if name.startswith(ATTEMPT_PREFIX):
                values.setdefault("attempts", {})[int(name.removeprefix(ATTEMPT_PREFIX))] = json.loads(raw)
            elif name.startswith(_TASKLET_PREFIX):
                values.setdefault("tasklets", []).append(TaskletRun.model_validate_json(raw))
            elif name in _JSON_FIELDS:
                values[name] = json.loads(raw)
            elif name in _TIME_FIELDS:
                values[name] = moment(raw)
            else:
                values[name] = raw.decode(errors="replace")
        values.get("tasklets", []).sort(key=TaskletRun.order)
        return cls.model_validate(values)


_JSON_FIELDS = frozenset({"spec", "run", "progress", "heartbeat", "provenance", "outcome"})
_TIME_FIELDS = frozenset({"queued_at", "claimed_at", "started_at", "ended_at"})


def moment(milliseconds: bytes) -> datetime:
    """Return a time as the ledger keeps it."""
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def tasklet_field(run: TaskletRun) -> str:
    """Return the name of the field that keeps what became of a tasklet."""
    return f"{_TASKLET_PREFIX}{run.place}:{run.number}"


def text_fields(**values: BaseModel) -> list[str]:
    """Return names and JSON values in turn, as a Redis hash takes them."""
    return [word for name, value in values.items() for word in (name, value.model_dump_json())]
