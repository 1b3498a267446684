"""What a submission decides beside the task."""

import dataclasses
from collections.abc import Iterable

from ..config import Limits, RetryPolicy
from ..tasklets import AskedFor
from ..tasks import JobDescription

__all__ = ["SubmitOptions"]


@dataclasses.dataclass(frozen=True)
class SubmitOptions:
    """What a submission decides beside the task."""

    #: The first job submitted with this key is returned again instead of a new one.
    idempotency_key: str | None = None
    #: While the queue is full, wait for a place instead of raising `QueueFull`.
    block: bool = False
    #: Seconds to wait for a place; `None`: for ever.
    timeout: float | None = None
    #: In place of the task's.
    limits: Limits | None = None
    #: In place of the task's.
    retry: RetryPolicy | None = None
    #: In place of the settings'.
    queue: str | None = None
    #: Tasklets before the program, behind those that the task, or the job file, brings.
    before: AskedFor = ()
    #: Tasklets after the program, likewise.
    after: AskedFor = ()
    #: Names of tasklets that the task or the job file brings and this job does without; `all` stands for every one.
    without: str | Iterable[str] = ()

    def completed_by(self, job: JobDescription) -> "SubmitOptions":
        """Return these options, with the job's own bounds and queue where nothing is said here."""
        return dataclasses.replace(
            self, limits=self.limits or job.limits, retry=self.retry or job.retry, queue=self.queue or job.queue
        )
