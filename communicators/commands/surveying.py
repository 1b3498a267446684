"""How the cluster stands as a whole: what workers say of themselves, and what operators ask."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from .. import keys
from ..states import JobState
from .command import Command, load_script, milliseconds

__all__ = ["HeardWorker", "SurveyPage", "WorkerFacts", "beat", "forget_worker", "read_workers", "survey"]

_SURVEY, _BEAT, _LEAVE, _WORKERS = map(load_script, ("survey", "beat", "leave", "workers"))

#: Jobs looked at in one go, so that no script holds up the server.
_PAGE = 1000
#: A worker that has been silent for so long, and for so many of the beats of the one who finds it, is forgotten.
_FORGOTTEN_AFTER, _FORGOTTEN_BEATS = timedelta(hours=1), 20


class WorkerFacts(BaseModel):
    """What a worker process says of itself."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    #: The name by which Celery and the records know it.
    name: str
    host: str
    pid: int
    pool: str
    #: How many jobs it carries out at once.
    slots: int
    #: The queues that it takes from.
    queues: tuple[str, ...]
    #: How often it says that it lives.
    interval: timedelta
    #: By the clock of its host.
    started_at: datetime
    outrider_version: str
    python_version: str


@dataclass(frozen=True)
class HeardWorker:
    """A worker process, and how long ago it was heard, by the server's clock."""

    facts: WorkerFacts
    age: timedelta


@dataclass(frozen=True)
class SurveyPage:
    """Counts of some of the jobs, and where to go on; `None` behind the last page."""

    next: str | None
    states: Counter[JobState]
    #: Queued jobs by queue.
    queued: Counter[str]
    #: Claimed jobs by worker.
    running: Counter[str]


def survey(after: str = "-inf") -> Command[SurveyPage]:
    """Count the jobs of one page, oldest first; `after` is where the page before says to go on."""

    def read(answer: Sequence[bytes]) -> SurveyPage:
        counts = {name: Counter(found) for name, found in json.loads(answer[1]).items()}
        states = Counter({JobState(state): count for state, count in counts["states"].items()})
        return SurveyPage(answer[0].decode() or None, states, counts["queued"], counts["running"])

    return Command((keys.JOBS, keys.record(""), _PAGE, after), read, _SURVEY, 1)


def beat(facts: WorkerFacts) -> Command[None]:
    """Say that a worker process lives; those that have been silent for very long are forgotten."""
    silence = milliseconds(max(_FORGOTTEN_AFTER, facts.interval * _FORGOTTEN_BEATS))
    words = (facts.name, facts.model_dump_json(), silence)
    return Command((keys.WORKERS, keys.WORKER_FACTS, *words), lambda _: None, _BEAT, 2)


def forget_worker(name: str) -> Command[None]:
    """Say that a worker process ends."""
    return Command((keys.WORKERS, keys.WORKER_FACTS, name), lambda _: None, _LEAVE, 2)


def read_workers() -> Command[list[HeardWorker]]:
    """Read which worker processes were heard in the last hour or so."""

    def read(answer: Sequence[Any]) -> list[HeardWorker]:
        pairs = zip(answer[::2], answer[1::2], strict=True)
        return [HeardWorker(WorkerFacts.model_validate_json(s), timedelta(milliseconds=int(age))) for age, s in pairs]

    return Command((keys.WORKERS, keys.WORKER_FACTS), read, _WORKERS, 2)
