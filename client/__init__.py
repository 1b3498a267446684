"""Ask for jobs."""

from .client import Client
from .comparison import Difference, compare
from .completion import as_completed, as_completed_async
from .coordinator import (
    AsyncioExecutionStrategy,
    CeleryExecutionStrategy,
    CoordinatedJob,
    Coordinator,
    CoordinatorState,
    Invocation,
    ProcessExecutionStrategy,
    TaskExecutionStrategy,
    ThreadedExecutionStrategy,
)
from .default import default_client, job, jobs, load_job, submit, submit_many
from .has_result import HasResult
from .job import Job
from .submit_options import SubmitOptions
from .system_detail import SystemDetail

__all__ = [
    "AsyncioExecutionStrategy",
    "CeleryExecutionStrategy",
    "Client",
    "CoordinatedJob",
    "Coordinator",
    "CoordinatorState",
    "Difference",
    "HasResult",
    "Invocation",
    "Job",
    "ProcessExecutionStrategy",
    "SubmitOptions",
    "SystemDetail",
    "TaskExecutionStrategy",
    "ThreadedExecutionStrategy",
    "as_completed",
    "as_completed_async",
    "compare",
    "default_client",
    "job",
    "jobs",
    "load_job",
    "submit",
    "submit_many",
]
