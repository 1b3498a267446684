"""What the holder of a claim says about its job. Every word shows the claim's token; the answer is what somebody wants."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from ...config.errors import JobNotFound
from .. import keys
from ..messages import (
    Finished,
    LogLines,
    Message,
    StateChanged,
    TaskletEnded,
    UserMessage,
    decode_message,
    encode_message,
)
from ..outcome import Outcome
from ..record import (
    ATTEMPT_PREFIX,
    AttemptFacts,
    Claim,
    JobSpec,
    Provenance,
    RunFacts,
    Wanted,
    moment,
    tasklet_field,
    text_fields,
)
from ..states import JobState, sources
from .command import Bounds, Command, Word, accepted, entries_of, load_script, milliseconds

__all__ = [
    "cancelling",
    "claim",
    "close",
    "close_unclaimed",
    "emit",
    "pause",
    "read_inward",
    "release",
    "resume",
    "start",
]

_CLAIM, _TRANSITION, _EMIT = map(load_script, ("claim", "transition", "emit"))


def claim(
    job_id: str, claim_id: str, worker: str, raw: str, bounds: Bounds, lease: timedelta
) -> Command[Claim | JobState]:
    """Claim a queued job; the answer is the claim, or the state that stands against it.

    `raw` is the broker's message, kept to be published again should the attempt be lost.

    Raises (when read): JobNotFound.
    """
    message = encode_message(StateChanged(state=JobState.STARTING, note=f"on {worker}"))

    def read(answer: list[bytes]) -> Claim | JobState:
        match answer:
            case [b"unknown"]:
                raise JobNotFound(job_id)
            case [b"refused", state]:
                return JobState(state.decode())
            case _:
                return _claimed(answer[1:], worker)

    arguments = (job_id, claim_id, worker, message, bounds.stream_length, milliseconds(lease), raw)
    return Command((keys.record(job_id), keys.stream(job_id), keys.OPEN, *arguments), read, _CLAIM, 3)


def _claimed(answer: Sequence[bytes], worker: str) -> Claim:
    token, attempt, spec, queued_at, claimed_at, *before = answer
    return Claim(
        spec=JobSpec.model_validate(json.loads(spec)),
        token=int(token),
        attempt=int(attempt),
        worker=worker,
        queued_at=moment(queued_at),
        claimed_at=moment(claimed_at),
        attempts={
            int(number): AttemptFacts.model_validate(json.loads(facts))
            for number, facts in zip(before[::2], before[1::2], strict=True)
        },
    )


def start(held: Claim, run: RunFacts, bounds: Bounds) -> Command[Wanted]:
    """Say that the program runs."""
    message = StateChanged(state=JobState.RUNNING, note=run.program, source="executor")
    return _transition(held.spec.id, held.token, JobState.RUNNING, message, bounds, text_fields(run=run), "started_at")


def cancelling(held: Claim, bounds: Bounds) -> Command[Wanted]:
    """Say that the program is being stopped."""
    message = StateChanged(state=JobState.CANCELLING, source="executor")
    return _transition(held.spec.id, held.token, JobState.CANCELLING, message, bounds, [])


def pause(held: Claim, bounds: Bounds) -> Command[Wanted]:
    """Say that the program stands still."""
    message = StateChanged(state=JobState.PAUSED, source="executor")
    return _transition(held.spec.id, held.token, JobState.PAUSED, message, bounds, [])


def resume(held: Claim, bounds: Bounds) -> Command[Wanted]:
    """Say that the program goes on."""
    message = StateChanged(state=JobState.RUNNING, note="goes on", source="executor")
    return _transition(held.spec.id, held.token, JobState.RUNNING, message, bounds, [])


def release(held: Claim, attempt: AttemptFacts, note: str, delay: timedelta, bounds: Bounds) -> Command[Wanted]:
    """Give the job back to be attempted again after a pause; what became of this attempt is kept."""
    message = StateChanged(state=JobState.QUEUED, note=note, source="executor")
    fields = text_fields(**{f"{ATTEMPT_PREFIX}{held.attempt}": attempt})
    return _transition(held.spec.id, held.token, JobState.QUEUED, message, bounds, fields, delay=delay)


def close(held: Claim, outcome: Outcome, provenance: Provenance, bounds: Bounds) -> Command[Wanted]:
    """Close the job with its one terminal state."""
    fields = text_fields(outcome=outcome, provenance=provenance)
    message = Finished(outcome=outcome, source="executor")
    return _transition(held.spec.id, held.token, outcome.state, message, bounds, fields)


def close_unclaimed(job_id: str, outcome: Outcome, bounds: Bounds) -> Command[Wanted]:
    """Close a job that is still queued and that nobody will carry out."""
    message = Finished(outcome=outcome)
    return _transition(job_id, None, outcome.state, message, bounds, text_fields(outcome=outcome))


def emit(held: Claim, messages: Sequence[Message], bounds: Bounds) -> Command[Wanted]:
    """Add messages that change no state to the stream, and keep the newest of each kind and all tasklets in the record.

    A batch is known by its last message's source and number: adding it again, when no answer came, adds nothing.

    Raises (when read): Superseded.
    """
    newest: dict[str, BaseModel] = {m.kind: m for m in messages if not isinstance(m, LogLines | TaskletEnded)}
    newest |= {tasklet_field(m.run): m.run for m in messages if isinstance(m, TaskletEnded)}
    fields: list[Word] = [*text_fields(**newest)]
    batch = " ".join(f"{held.token} {m.source} {m.sequence}" for m in messages[-1:] if m.sequence)
    encoded = map(encode_message, messages)
    words: tuple[Word, ...] = (held.token, bounds.stream_length, batch, len(fields), *fields, *encoded)
    names = (keys.record(held.spec.id), keys.stream(held.spec.id))
    return Command((*names, *words), lambda answer: accepted(held.spec.id, "", answer), _EMIT, 2)


def read_inward(job_id: str, after: str) -> Command[list[UserMessage]]:
    """Read what producers have sent to the task after a position; what this version does not understand is skipped."""
    key = keys.inward(job_id)

    def read(answer: Any) -> list[UserMessage]:
        found = (decode_message(job_id, position, fields) for position, fields in entries_of(answer, key))
        return [message for message in found if isinstance(message, UserMessage)]

    return Command(("XREAD", "STREAMS", key, after), read)


def _transition(
    job_id: str,
    token: int | None,
    target: JobState,
    message: Message,
    bounds: Bounds,
    fields: Sequence[Word],
    time_field: str = "",
    delay: timedelta | None = None,
) -> Command[Wanted]:
    allowed = sources(target) if token is not None else {JobState.QUEUED}
    arguments = (
        job_id,
        "" if token is None else token,
        target,
        f" {' '.join(sorted(allowed))} ",
        encode_message(message),
        bounds.stream_length,
        milliseconds(delay),
        bounds.retention_ms,
        "ended_at" if target.is_terminal else time_field,
        *fields,
    )
    names = (keys.record(job_id), keys.stream(job_id), keys.OPEN)
    return Command((*names, *arguments), lambda answer: accepted(job_id, target, answer), _TRANSITION, 3)
