"""The life of a job as one table."""

from enum import StrEnum

__all__ = ["TRANSITIONS", "JobState", "sources"]


class JobState(StrEnum):
    """Where a job stands. The last five are terminal: a job gets exactly one of them, once."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    LOST = "lost"

    @property
    def is_terminal(self) -> bool:
        """Whether the job is closed."""
        return not TRANSITIONS[self]


_S = JobState
_ENDS = frozenset({_S.SUCCEEDED, _S.FAILED, _S.TIMED_OUT, _S.CANCELLED, _S.LOST})

#: From each state, the states that may follow. `queued` follows an attempt that is handed back or was lost.
TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    _S.QUEUED: frozenset({_S.STARTING, _S.FAILED, _S.TIMED_OUT, _S.CANCELLED, _S.LOST}),
    _S.STARTING: frozenset({_S.RUNNING, _S.CANCELLING, _S.QUEUED}) | _ENDS,
    _S.RUNNING: frozenset({_S.PAUSED, _S.CANCELLING, _S.QUEUED}) | _ENDS,
    _S.PAUSED: frozenset({_S.RUNNING, _S.CANCELLING, _S.QUEUED}) | _ENDS,
    _S.CANCELLING: frozenset({_S.QUEUED}) | _ENDS,
    _S.SUCCEEDED: frozenset(),
    _S.FAILED: frozenset(),
    _S.TIMED_OUT: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.LOST: frozenset(),
}


def sources(target: JobState) -> frozenset[JobState]:
    """Return the states from which `target` may be entered."""
    return frozenset(state for state, targets in TRANSITIONS.items() if target in targets)
