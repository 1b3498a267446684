"""Who watches a job of this process, without any Redis."""

import asyncio
import contextlib
import time

from ..config.errors import IllegalTransition, JobClosed, JobNotFound, TooManyMessages, WaitTimeout
from .communicator import WatcherCommunicator
from .memory_ledger import MemoryLedger
from .messages import Cancel, Finished, Message, Pause, Resume, Snapshot, UserMessage
from .record import Wish

__all__ = ["MemoryCommunicator"]


class MemoryCommunicator(WatcherCommunicator):
    """A watcher's end: reads a job's messages from the first on, and writes what its Executor or task shall get."""

    def __init__(self, ledger: MemoryLedger, job_id: str, *, timeout: float | None = None, replay: bool = True) -> None:
        """Watch a job of this ledger, as `RedisCommunicator` does one in Redis."""
        self._ledger = ledger
        self._job_id = job_id
        self._timeout = timeout
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._replay = replay
        self._taken = 0
        self._ended = False

    async def open(self) -> None:
        """Make sure that there is such a job. Raises `JobNotFound`."""
        self._ledger.record(self._job_id)
        if not self._replay:
            self._taken = self._ledger.messages[self._job_id].count

    async def snapshot(self) -> Snapshot | None:
        """Return where the job stands; `None` while nothing has happened."""
        return self._ledger.record(self._job_id).snapshot()

    async def read(self) -> Message | None:
        """Return the job's next message, or `None` after the terminal one.

        Raises:
            WaitTimeout: when the job has not ended in time.
        """
        if self._ended:
            return None
        try:
            async with asyncio.timeout(self._deadline and self._deadline - time.monotonic()):
                number, message = await self._ledger.messages[self._job_id].from_number(self._taken)
        except TimeoutError:
            raise WaitTimeout(self._job_id, self._timeout or 0.0) from None
        except KeyError:
            raise JobNotFound(self._job_id) from None
        self._taken = number + 1
        self._ended = isinstance(message, Finished)
        return message

    async def write(self, message: Message) -> None:
        """Pass on a wish, or a message for the task; what else there is means nothing to an Executor."""
        with contextlib.suppress(JobClosed, IllegalTransition, TooManyMessages):
            match message:
                case Cancel():
                    self._ledger.wish(self._job_id, Wish.CANCEL)
                case Pause():
                    self._ledger.wish(self._job_id, Wish.PAUSE)
                case Resume():
                    self._ledger.wish(self._job_id, Wish.NOTHING)
                case UserMessage():
                    self._ledger.send(self._job_id, message)

    async def close(self) -> None:
        """Read no more."""
        self._ended = True
