"""Where a reader stands in a job's stream. It asks nothing itself: the blocking and the async reader share it."""

import time
from datetime import datetime, timedelta

from ..config.errors import BrokerUnavailable, WaitTimeout
from . import commands
from .commands import Command
from .messages import Finished, Message, Stamp, StateChanged
from .record import JobRecord

__all__ = ["Cursor", "Patience"]


class Cursor:
    """Makes the commands that read a job's messages in order, each once, and remembers how far it came."""

    def __init__(self, job_id: str, timeout: float | None) -> None:
        """Stand before the first message.

        Args:
            job_id: the job to read.
            timeout: seconds until `next_read` raises `WaitTimeout`; `None`: never.
        """
        self._job_id = job_id
        self._timeout = timeout
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._position = "0"
        self._state = ""
        self._closed_before: datetime | None = None
        #: Whether the terminal message has been read.
        self.finished = False

    def skip_to(self, position: str) -> None:
        """Read only what comes after a position."""
        self._position = position

    def next_read(self, longest: timedelta) -> Command[list[Message | str]]:
        """Return the command that waits for what comes next, no longer than `longest`."""
        block = longest
        if self._deadline is not None and self._timeout is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise WaitTimeout(self._job_id, self._timeout, self._state)
            block = max(min(longest, timedelta(seconds=left)), timedelta(milliseconds=1))
        return commands.read_messages(self._job_id, self._position, block)

    def read_now(self) -> Command[list[Message | str]]:
        """Return the command that takes what is there, without waiting."""
        return commands.read_messages(self._job_id, self._position)

    def take(self, answer: list[Message | str]) -> list[Message]:
        """Move behind what was read, and return it."""
        messages: list[Message] = []
        for item in answer:
            if isinstance(item, str):  # of a newer version; skipped
                self._position = item
            elif not self.finished and item.stamp is not None:
                self._position = item.stamp.position
                self.finished = isinstance(item, Finished)
                if isinstance(item, StateChanged):
                    self._state = item.state
                messages.append(item)
        return messages

    def take_end(self, record: JobRecord) -> list[Message]:
        """Return the terminal message of a closed job whose stream brings none: it was not understood, or not kept."""
        if record.outcome is None or record.ended_at is None or self._closed_before is None:
            self._closed_before = record.ended_at
            return []  # not closed, or perhaps only since the last read: look at the stream once more
        self.finished = True
        stamp = Stamp(job_id=record.id, attempt=record.attempt, at=record.ended_at, position=self._position)
        return [Finished(outcome=record.outcome, stamp=stamp)]


class Patience:
    """How long to go on asking a Redis that answered before and is away now."""

    def __init__(self, seconds: float = 60.0) -> None:
        """Start with a server that has never answered: the first failure counts at once."""
        self._seconds = seconds
        self._answered: float | None = None

    def answered(self) -> None:
        """Note that the server is there."""
        self._answered = time.monotonic()

    def pause_after(self, error: BrokerUnavailable) -> float:
        """Return the seconds to wait before the next try, or raise the error when the patience is over."""
        if self._answered is None or time.monotonic() - self._answered > self._seconds:
            raise error
        return 0.1
