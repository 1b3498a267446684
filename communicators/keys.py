"""The names of our keys in Redis."""

__all__ = [
    "DEADLINES",
    "JOBS",
    "OPEN",
    "WAKE_CHANNEL",
    "WORKERS",
    "WORKER_FACTS",
    "idempotency",
    "inbox",
    "inward",
    "record",
    "stream",
]

#: Sorted set of all job ids by the time of submission.
JOBS = "outrider:jobs"
#: Sorted set of the jobs that may not wait for ever, by when they must have been claimed.
DEADLINES = "outrider:deadlines"
#: Sorted set of the open jobs: queued ones below zero, claimed ones by their lease.
OPEN = "outrider:open"
#: Channel on which the ids of jobs are published whose Executor has something to look at.
WAKE_CHANNEL = "outrider:wake"
#: Sorted set of the worker processes by when they were heard last.
WORKERS = "outrider:workers"
#: Hash of what they say of themselves.
WORKER_FACTS = "outrider:workers:facts"


def record(job_id: str) -> str:
    """Return the key of a job's record, a hash."""
    return f"outrider:job:{job_id}"


def stream(job_id: str) -> str:
    """Return the key of a job's messages, a stream."""
    return f"outrider:job:{job_id}:messages"


def inward(job_id: str) -> str:
    """Return the key of what producers have sent to a job's task, a stream."""
    return f"outrider:job:{job_id}:inward"


def inbox(inbox_id: str) -> str:
    """Return the key of a waiting producer's stream of ended jobs."""
    return f"outrider:inbox:{inbox_id}"


def idempotency(key: str) -> str:
    """Return the key that remembers the job of an idempotency key."""
    return f"outrider:once:{key}"
