"""What the cluster says of many jobs, over one connection, however many they are."""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable, Iterable
from datetime import timedelta

from ...communicators import AsyncRedisClient, Finished, Message, Stamp, commands
from ...config.errors import BrokerUnavailable, JobNotFound

__all__ = ["Follower"]

logger = logging.getLogger(__name__)

#: Jobs whose messages are read as they come: the oldest, for these run first. Those of others are read once they end.
_MOST_READ = 500
#: An inbox that nobody reads vanishes after this long, and is asked for anew well before.
_KEEP = timedelta(hours=1)
_RENEW_SECONDS = 600.0
_PAUSE_SECONDS = 0.2


class Follower:
    """Publishes the messages of jobs, each from the first on, until the terminal one. Redis may go away and return."""

    def __init__(self, client: AsyncRedisClient, publish: Callable[[Message], None]) -> None:
        """Follow nothing yet."""
        self._client = client
        self._publish = publish
        self._inbox, self._inbox_position = uuid.uuid4().hex, "0"
        #: Where we stand in each job that has not ended.
        self._positions: dict[str, str] = {}
        #: Jobs whose ends are not told to our inbox yet.
        self._untold: set[str] = set()
        #: Jobs that have ended although their terminal message was not read yet; after a second look, without one.
        self._ending: dict[str, int] = {}
        self._subscribed = 0.0
        self._changed = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._subscribing: set[asyncio.Task[None]] = set()

    @property
    def open_jobs(self) -> tuple[str, ...]:
        """The jobs that have not ended, as far as we know."""
        return tuple(self._positions)

    def follow(self, job_id: str) -> None:
        """Publish what a job has said and will say."""
        if job_id in self._positions:
            return
        self._positions[job_id] = "0"
        self._untold.add(job_id)
        if self._following is None:
            self._following = asyncio.create_task(self._follow())
        self._changed.set()
        subscribing = asyncio.create_task(self._subscribe())  # its word in the inbox wakes whoever reads that
        self._subscribing.add(subscribing)
        subscribing.add_done_callback(self._subscribing.discard)

    async def all_ended(self, timeout: float | None) -> None:
        """Wait until no job is open, or so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while self._positions:
                    self._changed.clear()
                    await self._changed.wait()

    async def close(self) -> None:
        """Follow nothing more, and close the connections."""
        for task in (*self._subscribing, *filter(None, [self._following])):
            task.cancel()
        with contextlib.suppress(BrokerUnavailable):  # then it expires
            await self._client.run(commands.forget_inbox(self._inbox))
        await self._client.close()

    async def _follow(self) -> None:
        while True:
            while not self._positions:
                self._changed.clear()
                await self._changed.wait()
            try:
                await self._read()
            except BrokerUnavailable as error:
                logger.warning("cannot hear of jobs: %s", error, extra={"action": "follower_away"})
                self._untold |= set(self._positions)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _read(self) -> None:
        if asyncio.get_running_loop().time() - self._subscribed > _RENEW_SECONDS:
            self._untold |= set(self._positions)
        if self._untold:
            await self._subscribe(patient=False)
        positions = {job_id: self._positions[job_id] for job_id in self._wanted()}
        block = timedelta(milliseconds=1) if self._ending else self._client.longest_block
        asked = commands.read_news(self._inbox, self._inbox_position, positions, block)
        self._inbox_position, ended, news = await self._client.run_blocking(asked)
        for job_id, messages in news.items():
            self._take(job_id, messages)
        for job_id in [job_id for job_id in self._ending if job_id not in news]:
            await self._look_again(job_id)
        self._note_ends(ended)

    async def _subscribe(self, *, patient: bool = True) -> None:
        """Have the ends of jobs told to our inbox, which wakes the one who reads it."""
        new, self._untold = list(self._untold), set()
        if not new:
            return
        try:
            ended = await self._client.run(commands.watch_ends(self._inbox, new, _KEEP))
            self._note_ends(ended)
            self._subscribed = asyncio.get_running_loop().time()
        except BrokerUnavailable:
            self._untold |= set(new)
            if not patient:
                raise

    def _wanted(self) -> list[str]:
        first = [job_id for job_id, _ in zip(self._positions, range(_MOST_READ), strict=False)]
        return list(dict.fromkeys([*self._ending, *first]))

    def _note_ends(self, ended: Iterable[str]) -> None:
        for job_id in ended:
            if job_id in self._positions:
                self._ending.setdefault(job_id, 0)

    def _take(self, job_id: str, messages: Iterable[Message | str]) -> None:
        for message in messages:
            if isinstance(message, str):  # of a newer version
                self._positions[job_id] = message
            elif message.stamp is not None:
                self._positions[job_id] = message.stamp.position
                self._publish(message)
                if isinstance(message, Finished):
                    self._forget(job_id)
                    return

    async def _look_again(self, job_id: str) -> None:
        """Look a second time for the message of a job that has ended; if there is none, its record says as much."""
        self._ending[job_id] += 1
        if self._ending[job_id] <= 1:
            return
        try:
            record = await self._client.run(commands.read_record(job_id))
        except JobNotFound:
            logger.warning("a job's record is gone", extra={"action": "record_gone", "job_id": job_id})
            self._forget(job_id)
            return
        if record.outcome is not None and record.ended_at is not None:
            stamp = Stamp(job_id=job_id, attempt=record.attempt, at=record.ended_at, position=self._positions[job_id])
            self._publish(Finished(outcome=record.outcome, stamp=stamp))
            self._forget(job_id)

    def _forget(self, job_id: str) -> None:
        del self._positions[job_id]
        self._ending.pop(job_id, None)
        self._untold.discard(job_id)
        self._changed.set()
