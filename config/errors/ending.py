"""How jobs end otherwise than in success, and waits in vain."""

from .root import OutriderError

__all__ = ["JobCancelled", "JobError", "JobFailed", "JobLost", "JobTimedOut", "WaitTimeout"]


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
