"""Ask for jobs."""

from .client import Client
from .comparison import Difference, compare
from .completion import as_completed, as_completed_async
from .default import default_client, job, jobs, load_job, submit, submit_many
from .has_result import HasResult
from .job import Job
from .submit_options import SubmitOptions

__all__ = [
    "Client",
    "Difference",
    "HasResult",
    "Job",
    "SubmitOptions",
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
