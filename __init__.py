"""Outrider runs any analysis program on a cluster as a watched, cancellable, recoverable job.

Names load when they are first used: importing this package imports neither Celery nor pydantic.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import (
        Client,
        Job,
        as_completed,
        as_completed_async,
        job,
        jobs,
        submit,
        submit_many,
    )
    from .communicators import (
        Artifact,
        FailureReason,
        Finished,
        Heartbeat,
        JobRecord,
        JobState,
        LogLines,
        Opaque,
        Outcome,
        Progress,
        Report,
        StateChanged,
        StoredFile,
    )
    from .config import (
        Limits,
        RetryPolicy,
        Settings,
    )
    from .config.errors import (
        ArtifactDamaged,
        ArtifactUnavailable,
        BrokerUnavailable,
        CannotUnpack,
        IdempotencyKeyReused,
        InvalidFile,
        InvalidParameters,
        JobCancelled,
        JobError,
        JobFailed,
        JobLost,
        JobNotFound,
        JobTimedOut,
        OutriderError,
        QueueFull,
        SettingsError,
        SubmitError,
        UnknownTask,
        WaitTimeout,
    )
    from .tasks import (
        Buffering,
        Cancelled,
        Environment,
        FileGrowth,
        Flag,
        JsonProgress,
        NotAnArgument,
        Output,
        PassThrough,
        Positional,
        ProgramRun,
        Stdin,
        Stdout,
        Task,
        ThirdPartyTask,
        task,
    )
    from .worker import (
        app,
    )

_HOMES = {
    "client": ("Client", "Job", "as_completed", "as_completed_async", "job", "jobs", "submit", "submit_many"),
    "communicators": (
        "Artifact",
        "FailureReason",
        "Finished",
        "Heartbeat",
        "JobRecord",
        "JobState",
        "LogLines",
        "Opaque",
        "Outcome",
        "Progress",
        "Report",
        "StateChanged",
        "StoredFile",
    ),
    "config": ("Limits", "RetryPolicy", "Settings"),
    "config.errors": (
        "ArtifactDamaged",
        "ArtifactUnavailable",
        "BrokerUnavailable",
        "CannotUnpack",
        "IdempotencyKeyReused",
        "InvalidFile",
        "InvalidParameters",
        "JobCancelled",
        "JobError",
        "JobFailed",
        "JobLost",
        "JobNotFound",
        "JobTimedOut",
        "OutriderError",
        "QueueFull",
        "SettingsError",
        "SubmitError",
        "UnknownTask",
        "WaitTimeout",
    ),
    "tasks": (
        "Buffering",
        "Cancelled",
        "Environment",
        "FileGrowth",
        "Flag",
        "JsonProgress",
        "NotAnArgument",
        "Output",
        "PassThrough",
        "Positional",
        "ProgramRun",
        "Stdin",
        "Stdout",
        "Task",
        "ThirdPartyTask",
        "task",
    ),
    "worker": ("app",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Artifact",
    "ArtifactDamaged",
    "ArtifactUnavailable",
    "BrokerUnavailable",
    "Buffering",
    "Cancelled",
    "CannotUnpack",
    "Client",
    "Environment",
    "FailureReason",
    "FileGrowth",
    "Finished",
    "Flag",
    "Heartbeat",
    "IdempotencyKeyReused",
    "InvalidFile",
    "InvalidParameters",
    "Job",
    "JobCancelled",
    "JobError",
    "JobFailed",
    "JobLost",
    "JobNotFound",
    "JobRecord",
    "JobState",
    "JobTimedOut",
    "JsonProgress",
    "Limits",
    "LogLines",
    "NotAnArgument",
    "Opaque",
    "Outcome",
    "Output",
    "OutriderError",
    "PassThrough",
    "Positional",
    "ProgramRun",
    "Progress",
    "QueueFull",
    "Report",
    "RetryPolicy",
    "Settings",
    "SettingsError",
    "StateChanged",
    "Stdin",
    "Stdout",
    "StoredFile",
    "SubmitError",
    "Task",
    "ThirdPartyTask",
    "UnknownTask",
    "WaitTimeout",
    "app",
    "as_completed",
    "as_completed_async",
    "job",
    "jobs",
    "submit",
    "submit_many",
    "task",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home."""
    if (home := _HOME_OF.get(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
