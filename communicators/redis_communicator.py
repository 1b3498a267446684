"""Who watches a job from another process, or another machine."""

import asyncio

from ..config.errors import BrokerUnavailable, IllegalTransition, JobClosed, TooManyMessages
from . import commands
from .commands import Bounds, Command
from .communicator import WatcherCommunicator
from .cursor import Cursor, Patience
from .messages import Cancel, Message, Pause, Resume, Snapshot, UserMessage
from .record import Wish
from .redis_client import AsyncRedisClient
from .states import JobState

__all__ = ["RedisCommunicator"]


class RedisCommunicator(WatcherCommunicator):
    """A watcher's end: reads a job's messages in order, each once, and writes what its Executor or task shall get.

    A Redis that goes away and returns is waited for.
    """

    def __init__(
        self,
        client: AsyncRedisClient,
        job_id: str,
        bounds: Bounds,
        *,
        timeout: float | None = None,
        replay: bool = True,
    ) -> None:
        """Watch a job.

        Args:
            client: what asks; its owner closes it.
            job_id: whose messages.
            bounds: of records and streams.
            timeout: seconds until `read` raises `WaitTimeout`; `None`: never.
            replay: whether to begin with the job's first message; else with the next one.
        """
        self._client = client
        self._job_id = job_id
        self._bounds = bounds
        self._replay = replay
        self._cursor = Cursor(job_id, timeout)
        self._patience = Patience()
        self._ready: list[Message] = []

    async def open(self) -> None:
        """Connect, if only what is new is wanted: what is told from now on will be read."""
        if not self._replay:
            self._cursor.skip_to(await self._client.run(commands.last_position(self._job_id)))

    async def snapshot(self) -> Snapshot | None:
        """Return where the job stands; `None` while nothing has happened. Raises `JobNotFound`."""
        return (await self._client.run(commands.read_record(self._job_id))).snapshot()

    async def read(self) -> Message | None:
        """Return the job's next message, or `None` after the terminal one.

        Raises:
            WaitTimeout: when the job has not ended in time.
            JobNotFound: when the record is not there (any more).
        """
        while not self._ready and not self._cursor.finished:
            command = self._cursor.next_read(self._client.longest_block)
            try:
                self._ready = self._cursor.take(await self._client.run_blocking(command))
                if not self._ready:  # a record that is gone raises; one that is closed ends the watch in any case
                    self._ready = self._cursor.take_end(await self._client.run(commands.read_record(self._job_id)))
                self._patience.answered()
            except BrokerUnavailable as error:
                await asyncio.sleep(self._patience.pause_after(error))
        return self._ready.pop(0) if self._ready else None

    async def write(self, message: Message) -> None:
        """Pass on a wish, or a message for the task; a closed job listens to nobody."""
        if (command := self._command(message)) is not None:
            try:
                await self._client.run(command)
            except (
                JobClosed,
                IllegalTransition,
                TooManyMessages,
            ):  # it ended, cannot be paused yet, or has enough
                return

    async def close(self) -> None:
        """Read no more."""
        self._cursor.finished = True
        self._ready.clear()

    def _command(self, message: Message) -> Command[JobState] | None:
        match message:
            case Cancel():
                return commands.express_wish(self._job_id, Wish.CANCEL, self._bounds)
            case Pause():
                return commands.express_wish(self._job_id, Wish.PAUSE, self._bounds)
            case Resume():
                return commands.express_wish(self._job_id, Wish.NOTHING, self._bounds)
            case UserMessage():
                return commands.send_message(self._job_id, message, self._bounds)
            case _:
                return None
