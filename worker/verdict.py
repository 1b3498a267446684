"""From a program's end to a job's outcome. Pure."""

from ..communicators import Exit, FailureReason, JobState, Outcome

__all__ = ["failed", "verdict"]


def failed(reason: FailureReason | str, error: str) -> Outcome:
    """Return the outcome of a job that failed beside its program."""
    return Outcome(state=JobState.FAILED, reason=FailureReason(reason), error=error)


def verdict(program: str, ended: Exit, stderr_tail: tuple[str, ...], *, cancelled: bool) -> Outcome:
    """Return the outcome as far as the program alone decides it; `succeeded` still depends on its outputs."""
    if cancelled:
        how = f"by {ended.signal}" if ended.signal else f"with exit code {ended.exit_code}"
        return Outcome(state=JobState.CANCELLED, error=f"{program} was cancelled and ended {how}", exit=ended)
    if ended.ok:
        return Outcome(state=JobState.SUCCEEDED, exit=ended)
    if ended.signal:
        reason, error = FailureReason.SIGNAL, f"{program} was killed by {ended.signal}"
    else:
        reason, error = FailureReason.EXIT_CODE, f"{program} ended with exit code {ended.exit_code}"
    return Outcome(state=JobState.FAILED, reason=reason, error=error, exit=ended, stderr_tail=stderr_tail)
