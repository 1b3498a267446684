"""How a running first-party task speaks with whoever carries it out."""

import logging
import time
from collections.abc import Iterator
from contextvars import Context, ContextVar, copy_context
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Self

__all__ = ["Cancelled", "Channel", "context_of", "current_channel"]

logger = logging.getLogger("outrider.task")

#: How often one who waits for messages looks whether he is cancelled.
_LOOK_SECONDS = 0.1


class Cancelled(BaseException):
    """Raised in a first-party task whose job was cancelled or ran into a limit; `except Exception` does not stop it."""


class Channel:
    """The channel of a task that is run by hand, in a test or a notebook: what it says goes to the log.

    An Executor's channel overrides how things are said; what comes the other way is kept here, from whatever thread.
    It stays in its process: what a task is pickled with is a channel of this kind.
    """

    def __init__(self) -> None:
        """Start with nothing said."""
        self._is_cancelled = False
        self._messages: SimpleQueue[Any] = SimpleQueue()
        #: Whether the task has asked if it is cancelled: then it ends by itself, and is not interrupted.
        self.asked_if_cancelled = False

    def __reduce__(self) -> tuple[type["Channel"], tuple[()]]:
        return Channel, ()

    def __deepcopy__(self, _copied: dict[int, Any]) -> Self:
        return self

    def report(self, value: Any) -> None:
        """Take an object that the task reports."""
        logger.info("report: %r", value)

    def progress(self, done: float, total: float = 0.0, unit: str = "") -> None:
        """Take how far the task is."""
        logger.info("progress: %g/%g %s", done, total, unit)

    def artifact(self, path: Path | str, name: str = "") -> None:
        """Take a file to be kept, under its own name or another.

        Raises:
            FileNotFoundError: when there is no such file.
        """
        path = Path(path)
        logger.info("artefact: %s (%d bytes)", name or path.name, path.stat().st_size)

    @property
    def cancelled(self) -> bool:
        """Whether somebody wants the task to end."""
        self.asked_if_cancelled = True
        return self._is_cancelled

    def cancel(self) -> None:
        """Take note that somebody wants the task to end."""
        self._is_cancelled = True

    def deliver(self, value: Any) -> None:
        """Take a message for the task."""
        self._messages.put(value)

    def messages(self, timeout: float | None = None) -> Iterator[Any]:
        """Yield messages; wait up to `timeout` seconds for each, or (`None`) until somebody wants the task to end."""
        waiting_since = time.monotonic()
        while True:
            try:
                value = self._messages.get(timeout=_LOOK_SECONDS if timeout is None else min(timeout, _LOOK_SECONDS))
            except Empty:
                waited = time.monotonic() - waiting_since
                if self._is_cancelled or (timeout is not None and waited >= timeout):
                    return
            else:
                yield value
                waiting_since = time.monotonic()


_current: ContextVar[Channel | None] = ContextVar("outrider_channel", default=None)


def current_channel() -> Channel:
    """Return the channel of the job that this code is carried out for; by hand, one that speaks to the log.

    For functions, which have no `self` to speak through. What `Task` offers is here as well: `progress`, `report`,
    `artifact`, `messages` and `cancelled`.
    """
    return _current.get() or Channel()


def context_of(channel: Channel) -> Context:
    """Return a copy of the current context in which `current_channel` is this one."""
    context = copy_context()
    context.run(_current.set, channel)
    return context
