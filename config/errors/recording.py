"""What the ledger says, and what is known, or not, of jobs."""

from .root import OutriderError

__all__ = [
    "AmbiguousJob",
    "CannotExport",
    "DuplicateJob",
    "IllegalTransition",
    "JobClosed",
    "JobNotFound",
    "LedgerError",
    "NoOutcome",
    "RecordDamaged",
    "Superseded",
    "TooManyMessages",
]


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


class RecordDamaged(OutriderError):
    """A job's record on disk is not what was written."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path} is no job's record: {self.why}; the attempts' folders beside it may hold one"
