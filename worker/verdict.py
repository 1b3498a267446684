"""From a program's end to what becomes of the job. Pure."""

from dataclasses import dataclass
from datetime import timedelta

from ..communicators import AttemptFacts, Exit, FailureReason, JobState, Outcome, Raised
from ..config import RetryPolicy

__all__ = ["Released", "Stop", "failed", "next_attempt", "shortened", "verdict"]

#: Characters of an error that people are told.
_LONGEST = 8000


@dataclass(frozen=True)
class Stop:
    """Why we stopped a program: the state that the job gets, or `queued` when it is handed back."""

    state: JobState
    error: str
    reason: FailureReason | None = None


@dataclass(frozen=True)
class Released:
    """The attempt is over and the job is not: it is attempted again after a pause."""

    attempt: AttemptFacts
    note: str
    delay: timedelta


def shortened(text: str) -> str:
    """Return a text that goes into the record: its beginning and its end, if it is long."""
    text = text.encode("utf-8", "replace").decode()  # it may quote what is no Unicode
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"


def failed(reason: FailureReason | str, error: str) -> Outcome:
    """Return the outcome of a job that failed beside its program."""
    return Outcome(state=JobState.FAILED, reason=FailureReason(reason), error=shortened(error))


def verdict(
    program: str, ended: Exit, stderr_tail: tuple[str, ...], stop: Stop | None, raised: Raised | None = None
) -> Outcome:
    """Return the outcome as far as the program alone decides it; `succeeded` still depends on its outputs.

    `raised` is what a first-party task ended with, in its own words.
    """
    if stop:
        how = f"by {ended.signal}" if ended.signal else f"with exit code {ended.exit_code}"
        error = f"{program} {stop.error}, and ended {how}"
        return Outcome(state=stop.state, reason=stop.reason, error=error, exit=ended, stderr_tail=stderr_tail)
    if ended.ok:
        return Outcome(state=JobState.SUCCEEDED, exit=ended)
    if raised is not None:
        reason, error = FailureReason.EXCEPTION, shortened(f"{program} raised {raised.error}")
    elif ended.signal:
        reason, error = FailureReason.SIGNAL, f"{program} was killed by {ended.signal}"
    else:
        reason, error = FailureReason.EXIT_CODE, f"{program} ended with exit code {ended.exit_code}"
    return Outcome(state=JobState.FAILED, reason=reason, error=error, exit=ended, stderr_tail=stderr_tail)


def next_attempt(outcome: Outcome, attempt: int, worker: str, policy: RetryPolicy) -> Outcome | Released:
    """Return the outcome, or that the job is attempted again: the policy lists its end, or it is handed back."""
    facts = AttemptFacts(
        worker=worker, state=outcome.state, reason=outcome.reason, error=outcome.error, exit=outcome.exit
    )
    if outcome.state is JobState.QUEUED:  # handed back
        if not policy.on_loss:
            return outcome.model_copy(update={"state": JobState.LOST})
        return Released(facts.model_copy(update={"state": JobState.LOST}), f"again: {outcome.error}", timedelta(0))
    ended = outcome.exit
    listed = ended and (ended.exit_code in policy.exit_codes or ended.signal in policy.signals)
    if outcome.state is not JobState.FAILED or not listed or attempt >= policy.max_attempts:
        return outcome
    pause = policy.pause_before(attempt + 1)
    note = f"again in {pause.total_seconds():g} s (attempt {attempt + 1} of {policy.max_attempts}): {outcome.error}"
    return Released(facts, note, pause)
