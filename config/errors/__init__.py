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

from .ending import JobCancelled, JobError, JobFailed, JobLost, JobTimedOut, WaitTimeout
from .recording import (
    AmbiguousJob,
    CannotExport,
    DuplicateJob,
    IllegalTransition,
    JobClosed,
    JobNotFound,
    LedgerError,
    NoOutcome,
    RecordDamaged,
    Superseded,
    TooManyMessages,
)
from .root import CatalogueError, EmbeddedRedisError, OutriderError, SettingsError
from .running import CannotRun, InvalidReference, InvalidRequest, TaskletFailed
from .submitting import (
    BrokerUnavailable,
    CannotTravel,
    CoordinatorClosed,
    IdempotencyKeyReused,
    InvalidFile,
    InvalidParameters,
    InvalidTasklet,
    QueueFull,
    SubmitError,
    SubmittedAtImport,
    UnknownStrategy,
    UnknownTask,
    UnknownTasklet,
)
from .travelling import ArtifactDamaged, ArtifactError, ArtifactUnavailable, CannotPack, CannotUnpack

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
