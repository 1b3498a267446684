"""Outrider runs any analysis program on a cluster as a watched, cancellable, recoverable job.

Names load when they are first used: importing this package imports neither Celery nor pydantic.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import Client, Job, as_completed, as_completed_async, job, jobs, submit, submit_many
    from .communicators import (
        FailureReason,
        Finished,
        Heartbeat,
        JobRecord,
        JobState,
        LogLines,
        Outcome,
        Progress,
        StateChanged,
    )
    from .config import Limits, RetryPolicy, Settings
    from .config.errors import (
        BrokerUnavailable,
        IdempotencyKeyReused,
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
        Flag,
        NotAnArgument,
        Output,
        PassThrough,
        Positional,
        ProgramRun,
        Stdin,
        Stdout,
        ThirdPartyTask,
    )
    from .worker import app

_HOMES = {
    "client": ("Client", "Job", "as_completed", "as_completed_async", "job", "jobs", "submit", "submit_many"),
    "communicators": (
        "FailureReason",
        "Finished",
        "Heartbeat",
        "JobRecord",
        "JobState",
        "LogLines",
        "Outcome",
        "Progress",
        "StateChanged",
    ),
    "config": ("Limits", "RetryPolicy", "Settings"),
    "config.errors": (
        "BrokerUnavailable",
        "IdempotencyKeyReused",
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
        "Flag",
        "NotAnArgument",
        "Output",
        "PassThrough",
        "Positional",
        "ProgramRun",
        "Stdin",
        "Stdout",
        "ThirdPartyTask",
    ),
    "worker": ("app",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BrokerUnavailable",
    "Client",
    "FailureReason",
    "Finished",
    "Flag",
    "Heartbeat",
    "IdempotencyKeyReused",
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
    "Limits",
    "LogLines",
    "NotAnArgument",
    "Outcome",
    "Output",
    "OutriderError",
    "PassThrough",
    "Positional",
    "ProgramRun",
    "Progress",
    "QueueFull",
    "RetryPolicy",
    "Settings",
    "SettingsError",
    "StateChanged",
    "Stdin",
    "Stdout",
    "SubmitError",
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
