"""What producers say to the ledger and ask of it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from ...config.errors import IllegalTransition, JobClosed, JobNotFound, QueueFull, TooManyMessages
from .. import keys
from ..messages import Finished, Message, StateChanged, UserMessage, decode_message, encode_message
from ..outcome import Outcome
from ..record import JobRecord, JobSpec, Wish
from ..states import JobState
from .command import Bounds, Command, Word, entries_of, load_script, milliseconds

__all__ = [
    "express_wish",
    "forget_idempotency_key",
    "forget_inbox",
    "last_position",
    "open_job",
    "read_inbox",
    "read_messages",
    "read_news",
    "read_record",
    "read_state",
    "send_message",
    "server_time_ms",
    "watch_ends",
]

#: Messages that a job may be sent: each attempt gets all of them.
MOST_SENT = 1000

_OPEN, _WISH, _SEND, _WATCH = map(load_script, ("open", "wish", "send", "watch"))


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
    names = [keys.record(spec.id), keys.stream(spec.id), keys.JOBS, keys.OPEN, keys.DEADLINES]
    if idempotency_key is not None:
        names.append(keys.idempotency(idempotency_key))
    message = encode_message(StateChanged(state=JobState.QUEUED, note=f"in queue {spec.queue!r}"))
    arguments = (spec.id, message, bounds.stream_length, deadline_ms, max_queued, bounds.retention_ms)
    patience = milliseconds(spec.limits.queue)

    def read(answer: list[bytes]) -> str:
        match answer:
            case [b"full", queued]:
                raise QueueFull(int(queued), max_queued)
            case [b"late", _]:
                raise TimeoutError("the ledger answered too late")
            case _:
                return answer[1].decode()

    return Command((*names, *arguments, patience, spec.queue, spec.model_dump_json()), read, _OPEN, len(names))


def express_wish(job_id: str, wish: Wish, bounds: Bounds) -> Command[JobState]:
    """Have a job's Executor cancel, pause or (`Wish.NOTHING`) go on; the answer is the state that was found or made.

    A queued job is cancelled at once.

    Raises (when read): JobNotFound; IllegalTransition when a queued job is to be paused.
    """
    outcome = Outcome(state=JobState.CANCELLED, error="cancelled before it started")
    message = encode_message(Finished(outcome=outcome))
    arguments = (message, outcome.model_dump_json(), bounds.stream_length, bounds.retention_ms, keys.WAKE_CHANNEL)

    def read(answer: list[bytes]) -> JobState:
        if answer[0] == b"unknown":
            raise JobNotFound(job_id)
        if answer[0] == b"illegal":
            raise IllegalTransition(job_id, answer[1].decode(), JobState.PAUSED)
        return JobState(answer[1].decode())

    names = (keys.record(job_id), keys.stream(job_id), keys.OPEN)
    return Command((*names, job_id, wish, *arguments), read, _WISH, 3)


def send_message(job_id: str, message: UserMessage, bounds: Bounds) -> Command[JobState]:
    """Send a message to the task of an open job; the answer is the state that was found.

    Raises (when read): JobNotFound; JobClosed; TooManyMessages.
    """

    def read(answer: list[bytes]) -> JobState:
        if answer[0] == b"unknown":
            raise JobNotFound(job_id)
        if answer[0] == b"closed":
            raise JobClosed(job_id, answer[1].decode())
        if answer[0] == b"full":
            raise TooManyMessages(job_id, MOST_SENT)
        return JobState(answer[1].decode())

    words = (job_id, encode_message(message), MOST_SENT, bounds.retention_ms, keys.WAKE_CHANNEL)
    return Command((keys.record(job_id), keys.inward(job_id), *words), read, _SEND, 2)


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


def read_messages(job_id: str, after: str, block: timedelta | None = None) -> Command[list[Message | str]]:
    """Read a job's messages after a position; wait up to `block` for the first.

    A message that this version does not understand comes as its position.
    """
    key = keys.stream(job_id)
    blocking: tuple[Word, ...] = ("BLOCK", milliseconds(block)) if block is not None else ()

    def read(answer: Any) -> list[Message | str]:
        entries = entries_of(answer, key)
        return [decode_message(job_id, position, fields) or position.decode() for position, fields in entries]

    return Command(("XREAD", "COUNT", 500, *blocking, "STREAMS", key, after), read)


def read_news(
    inbox_id: str, after: str, positions: Mapping[str, str], block: timedelta
) -> Command[tuple[str, list[str], dict[str, list[Message | str]]]]:
    """Read an inbox and the messages of many jobs, each after its position; wait up to `block` for the first of any.

    The answer is the inbox's new position, the ids of jobs that have ended, and the messages by job; a message that this
    version does not understand comes as its position.
    """
    inbox = keys.inbox(inbox_id)

    def read(answer: Any) -> tuple[str, list[str], dict[str, list[Message | str]]]:
        found = {name.decode(): entries for name, entries in answer or ()}
        told = found.get(inbox, [])
        messages: dict[str, list[Message | str]] = {}
        for job_id in positions:
            for position, fields in found.get(keys.stream(job_id), ()):
                message = decode_message(job_id, position, fields) or position.decode()
                messages.setdefault(job_id, []).append(message)
        ended = [fields[b"job"].decode() for _, fields in told if fields[b"job"]]
        return told[-1][0].decode() if told else after, ended, messages

    names = (inbox, *map(keys.stream, positions))
    words: tuple[Word, ...] = ("XREAD", "COUNT", 500, "BLOCK", milliseconds(block), "STREAMS", *names)
    return Command((*words, after, *positions.values()), read)


def last_position(job_id: str) -> Command[str]:
    """Read the position of a job's newest message; `0` when there is none."""
    words = ("XREVRANGE", keys.stream(job_id), "+", "-", "COUNT", 1)
    return Command(words, lambda answer: answer[0][0].decode() if answer else "0")


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
        entries = entries_of(answer, key)
        position = entries[-1][0].decode() if entries else after
        return position, [fields[b"job"].decode() for _, fields in entries if fields[b"job"]]

    words = ("XREAD", "COUNT", 1000, "BLOCK", milliseconds(block), "STREAMS", key, after)
    return Command(words, read)


def forget_inbox(inbox_id: str) -> Command[None]:
    """Remove an inbox that nobody reads any more."""
    return Command(("DEL", keys.inbox(inbox_id)), lambda _: None)


def forget_idempotency_key(key: str) -> Command[None]:
    """Free an idempotency key whose job never got into the queue."""
    return Command(("DEL", keys.idempotency(key)), lambda _: None)


def server_time_ms() -> Command[int]:
    """Read the server's clock, milliseconds since the epoch."""
    return Command(("TIME",), lambda answer: int(answer[0]) * 1000 + int(answer[1]) // 1000)
