"""What workers say to the ledger so that no job is lost: renew, reap, publish again, tidy up."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from .. import keys
from ..messages import Finished, StateChanged, encode_message
from ..outcome import FailureReason, Outcome
from ..record import Claim, JobSpec, Wanted, Wish
from ..states import JobState
from .command import Bounds, Command, Word, load_script, milliseconds

__all__ = ["Due", "published", "reap", "renew", "rescue", "tidy", "wake_up"]

_RENEW, _REAP, _PUBLISHED, _RESCUE, _TIDY = map(load_script, ("renew", "reap", "published", "rescue", "tidy"))

#: Jobs looked at in one go, so that no script holds up the server.
_MANY = 100

_LOST = "its worker went away"


@dataclass(frozen=True)
class Due:
    """A job whose message must be published again: the message as it came, empty if there was none, and the job."""

    raw: str
    spec: JobSpec


def renew(held: Mapping[str, Claim], lease: timedelta) -> Command[dict[str, Wanted | None]]:
    """Renew the leases of a worker's jobs; the answer is what is wanted of each, `None` where the claim is void."""
    pairs: list[Word] = [word for job_id, claim in held.items() for word in (job_id, claim.token)]

    def read(answer: list[bytes]) -> dict[str, Wanted | None]:
        words = [word.decode() for word in answer]
        triples = zip(words[::3], words[1::3], words[2::3], strict=True)
        return {
            job_id: None if wish == "superseded" else Wanted(Wish(wish), int(sent)) for job_id, wish, sent in triples
        }

    return Command((keys.OPEN, keys.record(""), milliseconds(lease), *pairs), read, _RENEW, 1)


def reap(lease: timedelta, crash_limit: int, bounds: Bounds) -> Command[list[Due]]:
    """Take lost jobs from their owners, close those that may not run again, and return the rest, to be published."""
    again = StateChanged(state=JobState.QUEUED, note=f"again: {_LOST}")
    ends = (
        Outcome(state=JobState.CANCELLED, error=f"cancelled; {_LOST}"),
        Outcome(state=JobState.LOST, error=f"{_LOST}, and the task says that it may not run again"),
        Outcome(state=JobState.FAILED, reason=FailureReason.CRASH_LIMIT, error=f"{_LOST}, {crash_limit} times"),
    )
    closing = [word for end in ends for word in (encode_message(Finished(outcome=end)), end.model_dump_json())]

    def read(answer: list[bytes]) -> list[Due]:
        words = [word.decode() for word in answer]
        return [
            Due(raw, JobSpec.model_validate(json.loads(spec)))
            for raw, spec in zip(words[1::3], words[2::3], strict=True)
        ]

    numbers = (_MANY, milliseconds(lease), crash_limit, bounds.stream_length, bounds.retention_ms)
    return Command((keys.OPEN, keys.record(""), *numbers, encode_message(again), *closing), read, _REAP, 1)


def published(job_id: str) -> Command[None]:
    """Note that the message of a job that was due is in the queue."""
    return Command((keys.record(job_id), keys.OPEN, job_id), lambda _: None, _PUBLISHED, 2)


def rescue(queue: str, age: timedelta) -> Command[int]:
    """Make jobs due that are queued for so long although their queue is empty; the answer counts them.

    A broker hands a message to a worker before anything remembers who has it; a worker that dies just then takes it along.
    """
    return Command((keys.OPEN, keys.record(""), _MANY, queue, milliseconds(age)), int, _RESCUE, 1)


def tidy(bounds: Bounds) -> Command[int]:
    """Time out queued jobs that waited too long, and forget ids whose records have expired; the answer counts those."""
    outcome = Outcome(state=JobState.TIMED_OUT, error="it waited in the queue longer than its limit")
    words = (keys.record(""), _MANY * 5, bounds.stream_length, bounds.retention_ms)
    end = (encode_message(Finished(outcome=outcome)), outcome.model_dump_json())
    return Command((keys.OPEN, keys.JOBS, keys.DEADLINES, *words, *end), int, _TIDY, 3)


def wake_up(word: str) -> Command[None]:
    """Say a word on the channel that every worker process listens to."""
    return Command(("PUBLISH", keys.WAKE_CHANNEL, word), lambda _: None)
