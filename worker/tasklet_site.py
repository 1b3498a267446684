"""What a worker process's Executors share to run tasklets."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from ..tasklets import Tasklets
from .sinks import Sinks
from .tasklet_call import TaskletAnswer, TaskletRequest
from .tasklet_pool import TaskletPool

__all__ = ["Announce", "SendTasklet", "SentTasklet", "TaskletEvent", "TaskletSite", "tell_nobody"]


@dataclass(frozen=True)
class TaskletEvent:
    """Something that happened to a tasklet of a job, for whoever shows tasklets beside jobs."""

    what: Literal["received", "started", "succeeded", "failed", "revoked"]
    id: str
    tasklet: str
    job_id: str
    worker: str
    #: Its arguments, for people.
    args: str = "()"
    kwargs: str = "{}"
    #: What belongs to the event: `result` and `runtime`, or `exception` and `traceback`.
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SentTasklet:
    """A tasklet of a job on its way to a queue."""

    id: str
    queue: str
    job_id: str
    request: TaskletRequest


#: Is told of each tasklet; it neither blocks nor raises.
Announce = Callable[[TaskletEvent], None]
#: Has a queue's worker run a tasklet, and answers when that has ended; when it is cancelled, the tasklet is revoked.
SendTasklet = Callable[[SentTasklet], Awaitable[TaskletAnswer]]


def tell_nobody(_event: TaskletEvent) -> None:
    """Pass over an event."""


@dataclass(frozen=True)
class TaskletSite:
    """Where tasklets run, and who is told. Make it on the loop that uses it."""

    pool: TaskletPool
    tasklets: Tasklets
    #: Where notices go.
    sinks: Sinks = field(default_factory=lambda: Sinks(()))
    announce: Announce = tell_nobody
    send: SendTasklet | None = None
