"""What is said to the ledger, without saying it: each function returns one `Command`, whatever client runs it.

A transition and its message are one Lua script, so nobody sees the one without the other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from ..config.errors import IllegalTransition, JobNotFound, QueueFull, Superseded
from . import keys
from .messages import Finished, LogLines, Message, StateChanged, decode_message, encode_message
from .outcome import Outcome
from .record import Claim, JobRecord, JobSpec, Provenance, RunFacts, text_fields
from .states import JobState, sources

T = TypeVar("T")
Word = str | bytes | int | float

_SCRIPTS = files(__package__) / "scripts"
_PRELUDE = (_SCRIPTS / "prelude.lua").read_text()


def _script(name: str) -> str:
    return _PRELUDE + (_SCRIPTS / f"{name}.lua").read_text()


_OPEN, _CLAIM, _TRANSITION, _EMIT, _CANCEL, _WATCH = map(
    _script, ("open", "claim", "transition", "emit", "cancel", "watch")
)


@dataclass(frozen=True)
class Command(Generic[T]):
    """One question to Redis, a script or a plain command, and how to read the answer."""

    words: tuple[Word, ...]
    read: Callable[[Any], T]
    #: The source of a script; its hash takes the place of the command's name.
    script: str | None = None
    #: How many of the words are keys (scripts only).
    keys: int = 0


@dataclass(frozen=True)
class Bounds:
    """What limits the traces of a job: the messages that its stream keeps, and how long it is kept once closed."""

    stream_length: int
    retention: timedelta

    @property
    def retention_ms(self) -> int:
        """The retention in milliseconds."""
        return int(self.retention.total_seconds() * 1000)


def open_job(
    spec: JobSpec,
    bounds: Bounds,
    *,
    deadline_ms: int = 0,
    max_queued: int = 0,
    idempotency_key: str | None = None,
) -> Command[str]:
    """Open a record; the answer is the job's id, or that of the first job with this idempotency key.

    Raises (when read): QueueFull; TimeoutError when the server's clock is past the deadline (nothing is opened then).
    """
    names = [keys.record(spec.id), keys.stream(spec.id), keys.JOBS, keys.OPEN]
    if idempotency_key is not None:
        names.append(keys.idempotency(idempotency_key))
    message = encode_message(StateChanged(state=JobState.QUEUED, note=f"in queue {spec.queue!r}"))
    arguments = (spec.id, message, bounds.stream_length, deadline_ms, max_queued, bounds.retention_ms)

    def read(answer: list[bytes]) -> str:
        match answer:
            case [b"full", queued]:
                raise QueueFull(int(queued), max_queued)
            case [b"late", _]:
                raise TimeoutError("the ledger answered too late")
            case _:
                return answer[1].decode()

    return Command((*names, *arguments, spec.model_dump_json()), read, _OPEN, len(names))


def claim(job_id: str, claim_id: str, worker: str, bounds: Bounds, lease: timedelta) -> Command[Claim | JobState]:
    """Claim a queued job; the answer is the claim, or the state that stands against it.

    Raises (when read): JobNotFound.
    """
    message = encode_message(StateChanged(state=JobState.STARTING, note=f"on {worker}"))
    lease_ms = int(lease.total_seconds() * 1000)

    def read(answer: list[bytes]) -> Claim | JobState:
        match answer:
            case [b"unknown"]:
                raise JobNotFound(job_id)
            case [b"refused", state]:
                return JobState(state.decode())
            case _:
                _, token, attempt, spec = answer
                return Claim(
                    spec=JobSpec.model_validate_json(spec), token=int(token), attempt=int(attempt), worker=worker
                )

    arguments = (job_id, claim_id, worker, message, bounds.stream_length, lease_ms)
    return Command((keys.record(job_id), keys.stream(job_id), keys.OPEN, *arguments), read, _CLAIM, 3)


def start(held: Claim, run: RunFacts, bounds: Bounds) -> Command[bool]:
    """Say that the program runs; the answer is whether somebody wants the job cancelled."""
    message = StateChanged(state=JobState.RUNNING, note=" ".join(run.argv[:1]), source="executor")
    return _transition(held.spec.id, held.token, JobState.RUNNING, message, bounds, text_fields(run=run))


def cancelling(held: Claim, bounds: Bounds) -> Command[bool]:
    """Say that the program is being stopped."""
    message = StateChanged(state=JobState.CANCELLING, source="executor")
    return _transition(held.spec.id, held.token, JobState.CANCELLING, message, bounds, [])


def close(held: Claim, outcome: Outcome, provenance: Provenance, bounds: Bounds) -> Command[bool]:
    """Close the job with its one terminal state."""
    fields = text_fields(outcome=outcome, provenance=provenance)
    message = Finished(outcome=outcome, source="executor")
    return _transition(held.spec.id, held.token, outcome.state, message, bounds, fields)


def close_unclaimed(job_id: str, outcome: Outcome, bounds: Bounds) -> Command[bool]:
    """Close a job that is still queued and that nobody will carry out."""
    message = Finished(outcome=outcome)
    return _transition(job_id, None, outcome.state, message, bounds, text_fields(outcome=outcome))


def emit(held: Claim, messages: Sequence[Message], bounds: Bounds) -> Command[bool]:
    """Add messages to the job's stream; the answer is whether somebody wants the job cancelled.

    Raises (when read): Superseded.
    """
    newest: dict[str, BaseModel] = {m.kind: m for m in messages if not isinstance(m, LogLines)}
    fields: list[Word] = [*text_fields(**newest)]
    words: tuple[Word, ...] = (held.token, bounds.stream_length, len(fields), *fields, *map(encode_message, messages))
    names = (keys.record(held.spec.id), keys.stream(held.spec.id))
    return Command((*names, *words), lambda answer: _accepted(held.spec.id, "", answer), _EMIT, 2)


def request_cancel(job_id: str, bounds: Bounds) -> Command[JobState]:
    """Ask for a job's end. A queued job is closed at once; the answer is the state that was found or made.

    Raises (when read): JobNotFound.
    """
    outcome = Outcome(state=JobState.CANCELLED, error="cancelled before it started")
    message = encode_message(Finished(outcome=outcome))
    arguments = (message, outcome.model_dump_json(), bounds.stream_length, bounds.retention_ms, keys.WAKE_CHANNEL)

    def read(answer: list[bytes]) -> JobState:
        if answer[0] == b"unknown":
            raise JobNotFound(job_id)
        return JobState(answer[1].decode())

    names = (keys.record(job_id), keys.stream(job_id), keys.OPEN)
    return Command((*names, job_id, *arguments), read, _CANCEL, 3)


def read_record(job_id: str) -> Command[JobRecord]:
    """Read a record. Raises (when read): JobNotFound."""

    def read(answer: Mapping[bytes, bytes]) -> JobRecord:
        if b"spec" not in answer:
            raise JobNotFound(job_id)
        return JobRecord.from_fields(answer)

    return Command(("HGETALL", keys.record(job_id)), read)


def read_state(job_id: str) -> Command[JobState]:
    """Read a job's state. Raises (when read): JobNotFound."""

    def read(answer: bytes | None) -> JobState:
        if answer is None:
            raise JobNotFound(job_id)
        return JobState(answer.decode())

    return Command(("HGET", keys.record(job_id), "state"), read)


def list_jobs(limit: int) -> Command[list[str]]:
    """Read the ids of the jobs submitted last, newest first."""
    words = ("ZRANGE", keys.JOBS, 0, limit - 1, "REV")
    return Command(words, lambda answer: [job_id.decode() for job_id in answer])


def read_messages(job_id: str, after: str, block: timedelta | None = None) -> Command[list[Message | str]]:
    """Read a job's messages after a position; wait up to `block` for the first.

    A message that this version does not understand comes as its position.
    """
    key = keys.stream(job_id)
    blocking: tuple[Word, ...] = ("BLOCK", int(block.total_seconds() * 1000)) if block is not None else ()

    def read(answer: Any) -> list[Message | str]:
        entries = _entries(answer, key)
        return [decode_message(job_id, position, fields) or position.decode() for position, fields in entries]

    return Command(("XREAD", "COUNT", 500, *blocking, "STREAMS", key, after), read)


def watch_ends(inbox_id: str, job_ids: Sequence[str], keep: timedelta) -> Command[dict[str, str]]:
    """Have the ends of jobs told to an inbox; the answer holds those that have ended already (or are `unknown`)."""
    names = (keys.inbox(inbox_id), *map(keys.record, job_ids))

    def read(answer: list[bytes]) -> dict[str, str]:
        words = [word.decode() for word in answer]
        return dict(zip(words[::2], words[1::2], strict=True))

    return Command((*names, int(keep.total_seconds()), *job_ids), read, _WATCH, len(names))


def read_inbox(inbox_id: str, after: str, block: timedelta) -> Command[tuple[str, list[str]]]:
    """Read the ids of jobs that ended, and the position to read on from; wait up to `block` for the first."""
    key = keys.inbox(inbox_id)

    def read(answer: Any) -> tuple[str, list[str]]:
        entries = _entries(answer, key)
        position = entries[-1][0].decode() if entries else after
        return position, [fields[b"job"].decode() for _, fields in entries if fields[b"job"]]

    words = ("XREAD", "COUNT", 1000, "BLOCK", int(block.total_seconds() * 1000), "STREAMS", key, after)
    return Command(words, read)


def forget_inbox(inbox_id: str) -> Command[None]:
    """Remove an inbox that nobody reads any more."""
    return Command(("DEL", keys.inbox(inbox_id)), lambda _: None)


def server_time_ms() -> Command[int]:
    """Read the server's clock, milliseconds since the epoch."""
    return Command(("TIME",), lambda answer: int(answer[0]) * 1000 + int(answer[1]) // 1000)


def _transition(
    job_id: str,
    token: int | None,
    target: JobState,
    message: Message,
    bounds: Bounds,
    fields: Sequence[Word],
) -> Command[bool]:
    allowed = sources(target) if token is not None else {JobState.QUEUED}
    time_field = "started_at" if target is JobState.RUNNING else "ended_at" if target.is_terminal else ""
    arguments = (
        job_id,
        "" if token is None else token,
        target,
        f" {' '.join(sorted(allowed))} ",
        encode_message(message),
        bounds.stream_length,
        bounds.retention_ms if target.is_terminal else 0,
        time_field,
        *fields,
    )
    names = (keys.record(job_id), keys.stream(job_id), keys.OPEN)
    return Command((*names, *arguments), lambda answer: _accepted(job_id, target, answer), _TRANSITION, 3)


def _accepted(job_id: str, target: str, answer: list[bytes]) -> bool:
    match answer:
        case [b"ok", cancel]:
            return cancel == b"true"
        case [b"illegal", state]:
            raise IllegalTransition(job_id, state.decode(), target)
        case [b"superseded"]:
            raise Superseded(job_id)
        case _:
            raise JobNotFound(job_id)


def _entries(answer: Any, key: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """Return the entries of one stream from what redis-py makes of XREAD's answer: pairs of a key and its entries."""
    return [
        (position, fields) for name, entries in answer or () if name == key.encode() for position, fields in entries
    ]
