"""Every error that Outrider raises on purpose.

OutriderError
├── SettingsError              a setting is missing or wrong
├── EmbeddedRedisError         the private redis-server could not be started
├── CatalogueError             a task module cannot be loaded, or two tasks share a name
├── SubmitError                nothing was enqueued
│   ├── UnknownTask
│   ├── InvalidParameters
│   ├── InvalidFile            a YAML file is not what it should be
│   ├── UnknownTasklet
│   ├── InvalidTasklet         a tasklet is asked for in a way that it cannot run
│   ├── IdempotencyKeyReused
│   ├── SubmittedAtImport
│   ├── QueueFull
│   ├── UnknownStrategy        a coordinator has no strategy of this name
│   ├── CoordinatorClosed      a coordinator takes no more jobs
│   ├── CannotTravel           a function cannot be carried out where it was sent
│   └── BrokerUnavailable
├── DuplicateJob               a coordinator knows this id already
├── NoOutcome                  a job was to be ended with something that is no end
├── InvalidRequest             a line of a driver is no request
├── InvalidReference           a {{ reference }} leads nowhere
├── JobNotFound                no record has this id (any more)
├── AmbiguousJob               several jobs have ids that begin so
├── CannotExport               a job cannot be handed on
├── LedgerError                the ledger refused a write
│   ├── IllegalTransition      the state machine has no such arrow
│   ├── JobClosed              the job has ended, and listens to nobody
│   ├── TooManyMessages        the job was sent as many messages as it may be
│   └── Superseded             another attempt owns the job now
├── CannotRun                  a job ends before its program starts
├── TaskletFailed              a tasklet did not end well
├── RecordDamaged              a job's record on disk is not what was written
├── ArtifactError              a value could not travel by way of the artefact store
│   ├── ArtifactUnavailable    it cannot be written or read
│   └── ArtifactDamaged        it is not what was stored
├── CannotPack                 a value cannot be made fit to travel
├── CannotUnpack               what arrived is no value that this version understands
├── WaitTimeout                the job had not ended yet; it goes on
└── JobError                   what `Job.result` raises when a job did not succeed
    ├── JobFailed
    ├── JobTimedOut
    ├── JobCancelled
    └── JobLost

Arguments are positional and go unchanged to `Exception.__init__`: Celery's JSON results
rebuild an error as `cls(*args)`. The sentence is made in `__str__`.
"""

__all__ = [
    "AmbiguousJob",
    "ArtifactDamaged",
    "ArtifactError",
    "ArtifactUnavailable",
    "BrokerUnavailable",
    "CannotExport",
    "CannotPack",
    "CannotRun",
    "CannotTravel",
    "CannotUnpack",
    "CatalogueError",
    "CoordinatorClosed",
    "DuplicateJob",
    "EmbeddedRedisError",
    "IdempotencyKeyReused",
    "IllegalTransition",
    "InvalidFile",
    "InvalidParameters",
    "InvalidReference",
    "InvalidRequest",
    "InvalidTasklet",
    "JobCancelled",
    "JobClosed",
    "JobError",
    "JobFailed",
    "JobLost",
    "JobNotFound",
    "JobTimedOut",
    "LedgerError",
    "NoOutcome",
    "OutriderError",
    "QueueFull",
    "RecordDamaged",
    "SettingsError",
    "SubmitError",
    "SubmittedAtImport",
    "Superseded",
    "TaskletFailed",
    "TooManyMessages",
    "UnknownStrategy",
    "UnknownTask",
    "UnknownTasklet",
    "WaitTimeout",
]


class OutriderError(Exception):
    """The root of the tree."""


class SettingsError(OutriderError):
    """A setting is missing or wrong; the message names its environment variable."""


class EmbeddedRedisError(OutriderError):
    """The private redis-server could not be found or started."""


class CatalogueError(OutriderError):
    """A task module cannot be loaded, or two tasks share a name."""


class SubmitError(OutriderError):
    """The root of what `submit` raises: nothing was enqueued and no open record stays."""


class UnknownTask(SubmitError, KeyError):
    """No task of the catalogue has this name."""

    def __init__(self, name: str, suggestions: list[str]) -> None:
        super().__init__(name, suggestions)
        self.name = name
        self.suggestions = suggestions

    def __str__(self) -> str:
        hint = f"did you mean {' or '.join(map(repr, self.suggestions))}?" if self.suggestions else ""
        known = "list them with `outrider tasks`; modules of your own go into OUTRIDER_TASKS"
        return f"no task is called {self.name!r}; {hint or known}"


class InvalidParameters(SubmitError):
    """Parameters do not fit the task; each problem names its field, the value, and what is wrong."""

    def __init__(self, task: str, problems: list[str]) -> None:
        super().__init__(task, problems)
        self.task = task
        self.problems = problems

    def __str__(self) -> str:
        return f"wrong parameters for task {self.task!r}: " + "; ".join(self.problems)


class InvalidFile(SubmitError):
    """A YAML file is not what it should be; each problem names its line, the place in the document and what is wrong."""

    def __init__(self, path: str, problems: list[str]) -> None:
        super().__init__(path, problems)
        self.path = path
        self.problems = problems

    def __str__(self) -> str:
        return f"{self.path}: " + "; ".join(self.problems)


class UnknownTasklet(SubmitError, KeyError):
    """No tasklet that is known here has this name."""

    def __init__(self, name: str, suggestions: list[str]) -> None:
        super().__init__(name, suggestions)
        self.name = name
        self.suggestions = suggestions

    def __str__(self) -> str:
        hint = f"did you mean {' or '.join(map(repr, self.suggestions))}?" if self.suggestions else ""
        return f"no tasklet is called {self.name!r}; {hint or 'modules of your own go into OUTRIDER_TASKS'}"


class InvalidTasklet(SubmitError):
    """A tasklet is asked for in a way that it cannot run; each problem names the argument or option, and what is wrong."""

    def __init__(self, tasklet: str, problems: list[str]) -> None:
        super().__init__(tasklet, problems)
        self.tasklet = tasklet
        self.problems = problems

    def __str__(self) -> str:
        return f"wrong use of tasklet {self.tasklet!r}: " + "; ".join(self.problems)


class IdempotencyKeyReused(SubmitError):
    """The key belongs to a job with another task or other parameters."""

    def __init__(self, key: str, job_id: str, task: str) -> None:
        super().__init__(key, job_id, task)
        self.key = key
        self.job_id = job_id
        self.task = task

    def __str__(self) -> str:
        return (
            f"the key {self.key!r} belongs to job {self.job_id} ({self.task}) with other parameters; take another key"
        )


class SubmittedAtImport(SubmitError):
    """A task module submits when it is imported; so would every worker and every command."""

    def __init__(self, module: str) -> None:
        super().__init__(module)
        self.module = module

    def __str__(self) -> str:
        return f"{self.module!r} submits while it is imported as a task module; put that under `if __name__ == '__main__':`"


class QueueFull(SubmitError):
    """As many jobs wait as the settings allow."""

    def __init__(self, queued: int, limit: int) -> None:
        super().__init__(queued, limit)
        self.queued = queued
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"{self.queued} jobs wait already, and {self.limit} may (max_queued, OUTRIDER_MAX_QUEUED); try again later"
        )


class UnknownStrategy(SubmitError, KeyError):
    """A coordinator has no strategy of this name."""

    def __init__(self, mode: str, known: list[str]) -> None:
        super().__init__(mode, known)
        self.mode = mode
        self.known = known

    def __str__(self) -> str:
        return f"no execution mode is called {self.mode!r}; this coordinator has {', '.join(self.known)}"


class CoordinatorClosed(SubmitError):
    """A coordinator that was shut down takes no more jobs."""

    def __init__(self) -> None:
        super().__init__()

    def __str__(self) -> str:
        return "the coordinator was shut down and takes no more jobs; make another"


class CannotTravel(SubmitError, TypeError):
    """A function, or a task's class, cannot be carried out where it was sent."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(name, why)
        self.name = name
        self.why = why

    def __str__(self) -> str:
        return f"{self.name} cannot be sent: {self.why}"


class BrokerUnavailable(SubmitError):
    """The broker or the ledger did not answer in time, or refused us."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url = url
        self.reason = reason

    def __str__(self) -> str:
        return f"Redis at {self.url} cannot be used: {self.reason}; check OUTRIDER_BROKER_URL and the server"


class DuplicateJob(OutriderError):
    """A coordinator knows a job with this id already."""

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id

    def __str__(self) -> str:
        return f"there is a job {self.job_id!r} already; leave ids to the coordinator"


class NoOutcome(OutriderError, TypeError):
    """A job was to be ended with something that is no end."""

    def __init__(self, job_id: str, value: str) -> None:
        super().__init__(job_id, value)
        self.job_id = job_id
        self.value = value

    def __str__(self) -> str:
        return f"job {self.job_id} cannot end with {self.value}; it takes an Outcome in a terminal state"


class InvalidRequest(OutriderError):
    """A line of a driver is no request; each problem names its field, the value, and what is wrong."""

    def __init__(self, line: int, problems: list[str]) -> None:
        super().__init__(line, problems)
        self.line = line
        self.problems = problems

    def __str__(self) -> str:
        return f"line {self.line} is no request: " + "; ".join(self.problems)


class InvalidReference(OutriderError):
    """A `{{ reference }}` leads nowhere, or to what cannot stand in its place; `place` is the way to it in the value."""

    def __init__(self, reference: str, why: str, place: list[str | int]) -> None:
        super().__init__(reference, why, place)
        self.reference = reference
        self.why = why
        self.place = place

    def __str__(self) -> str:
        return f"{self.reference}: {self.why}"


class JobNotFound(OutriderError):
    """No record has this id: it never existed, or its retention is over."""

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id

    def __str__(self) -> str:
        return f"no job has the id {self.job_id!r}; its record may have expired (list jobs with `outrider jobs`)"


class AmbiguousJob(OutriderError):
    """Several jobs have ids that begin so."""

    def __init__(self, prefix: str, job_ids: list[str]) -> None:
        super().__init__(prefix, job_ids)
        self.prefix = prefix
        self.job_ids = job_ids

    def __str__(self) -> str:
        return f"{self.prefix!r} begins the ids of several jobs: {', '.join(self.job_ids)}; give more of it"


class CannotExport(OutriderError):
    """A job cannot be handed on as a folder."""

    def __init__(self, job_id: str, why: str) -> None:
        super().__init__(job_id, why)
        self.job_id = job_id
        self.why = why

    def __str__(self) -> str:
        return f"job {self.job_id} cannot be exported: {self.why}"


class LedgerError(OutriderError):
    """The ledger refused a write; the record is as it was."""


class IllegalTransition(LedgerError):
    """The state machine has no such arrow."""

    def __init__(self, job_id: str, state: str, target: str) -> None:
        super().__init__(job_id, state, target)
        self.job_id = job_id
        self.state = state
        self.target = target

    def __str__(self) -> str:
        return f"job {self.job_id} is {self.state} and cannot become {self.target}"


class JobClosed(LedgerError):
    """The job has ended, and listens to nobody."""

    def __init__(self, job_id: str, state: str) -> None:
        super().__init__(job_id, state)
        self.job_id = job_id
        self.state = state

    def __str__(self) -> str:
        return f"job {self.job_id} is {self.state}; only an open job can be sent a message"


class TooManyMessages(LedgerError):
    """The job was sent as many messages as it may be."""

    def __init__(self, job_id: str, most: int) -> None:
        super().__init__(job_id, most)
        self.job_id = job_id
        self.most = most

    def __str__(self) -> str:
        return f"job {self.job_id} was sent {self.most} messages, and takes no more; send fewer and larger ones"


class Superseded(LedgerError):
    """Another attempt owns the job now; this one must stop."""

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id

    def __str__(self) -> str:
        return f"job {self.job_id} is owned by another attempt now"


class CannotRun(OutriderError):
    """A job ends before its program starts; `reason` is a `FailureReason` value."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return self.message


class TaskletFailed(OutriderError):
    """A tasklet that ran as a Celery task did not end well; `ended` is the word for how."""

    def __init__(self, tasklet: str, ended: str, why: str, printed: str) -> None:
        super().__init__(tasklet, ended, why, printed)
        self.tasklet = tasklet
        self.ended = ended
        self.why = why
        self.printed = printed

    def __str__(self) -> str:
        return f"the tasklet {self.tasklet!r} failed ({self.ended}): {self.why}"


class RecordDamaged(OutriderError):
    """A job's record on disk is not what was written."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path} is no job's record: {self.why}; the attempts' folders beside it may hold one"


class ArtifactError(OutriderError):
    """The root of what the artefact store raises."""


class ArtifactUnavailable(ArtifactError):
    """An artefact cannot be written or read; the store may be another than the one that was meant."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(key, why)
        self.key = key
        self.why = why

    def __str__(self) -> str:
        return (
            f"the artefact {self.key!r} is out of reach: {self.why}; producers and workers need the same "
            "OUTRIDER_ARTIFACT_URL or, without one, the same OUTRIDER_WORK_ROOT on a file system that they share"
        )


class ArtifactDamaged(ArtifactError):
    """An artefact, or the reference to it, is not what was stored."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(key, why)
        self.key = key
        self.why = why

    def __str__(self) -> str:
        return f"the artefact {self.key!r} is not what was stored: {self.why}"


class CannotPack(OutriderError):
    """A value cannot be made fit to travel between processes."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(kind, why)
        self.kind = kind
        self.why = why

    def __str__(self) -> str:
        return f"a value of type {self.kind} cannot be sent: {self.why}"


class CannotUnpack(OutriderError):
    """A packed value is damaged, or was packed by a newer version."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"a packed value makes no sense: {self.why}; was it written by a newer version of Outrider?"


class JobError(OutriderError):
    """A job ended otherwise than in success; the message holds the reason and the last stderr lines."""

    def __init__(self, job_id: str, message: str) -> None:
        super().__init__(job_id, message)
        self.job_id = job_id
        self.message = message

    def __str__(self) -> str:
        return f"job {self.job_id}: {self.message}"


class JobFailed(JobError):
    """The program, or something around it, failed; `reason` is a `FailureReason` value."""

    def __init__(self, job_id: str, reason: str, message: str) -> None:
        super().__init__(job_id, message)
        self.args = (job_id, reason, message)
        self.reason = reason

    def __str__(self) -> str:
        return f"job {self.job_id} failed ({self.reason}): {self.message}"


class JobTimedOut(JobError):
    """A time limit ended the job."""


class JobCancelled(JobError):
    """Somebody cancelled the job."""


class JobLost(JobError):
    """The job's worker went away, and the job may not be run again."""


class WaitTimeout(OutriderError, TimeoutError):
    """The job had not ended within the time that the caller gave; the job goes on."""

    def __init__(self, job_id: str, seconds: float, state: str = "") -> None:
        super().__init__(job_id, seconds, state)
        self.job_id = job_id
        self.seconds = seconds
        self.state = state

    def __str__(self) -> str:
        hint = "it is still queued: is a worker running?" if self.state == "queued" else "it goes on"
        return f"job {self.job_id} has not ended after {self.seconds:g} s; {hint}"
