"""Where jobs are recorded and told of: one choice, made by a URL."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

from ..config.errors import SettingsError
from . import commands
from .commands import Bounds
from .communicator import WatcherCommunicator
from .ledger import Ledger, RedisLedger
from .memory_communicator import MemoryCommunicator
from .memory_ledger import MemoryLedger
from .messages import UserMessage
from .record import Claim, JobRecord, Wanted, Wish
from .redis_client import AsyncRedisClient
from .redis_communicator import RedisCommunicator
from .states import JobState

__all__ = ["Backend", "MemoryBackend", "RedisBackend", "backend_at"]


class Backend(ABC):
    """What Executors and watchers share; make it on the event loop that it is used on."""

    ledger: Ledger

    @abstractmethod
    def watching(
        self, job_id: str, *, timeout: float | None = None, replay: bool = True
    ) -> AbstractAsyncContextManager[WatcherCommunicator]:
        """Watch a job: for at most `timeout` seconds, from its first message on or (without `replay`) from now on."""

    @abstractmethod
    async def record(self, job_id: str) -> JobRecord:
        """Return all that is known about a job. Raises `JobNotFound`."""

    @abstractmethod
    async def wish(self, job_id: str, wish: Wish) -> JobState:
        """Have a job's Executor cancel, pause or go on; the answer is the state that was found or made.

        Raises:
            JobNotFound: when there is no such job.
            IllegalTransition: when a queued job is to be paused.
        """

    @abstractmethod
    async def send(self, job_id: str, message: UserMessage) -> JobState:
        """Send a message to the task of an open job; the answer is the state that was found.

        Raises:
            JobNotFound, JobClosed, TooManyMessages: when nobody will get it.
        """

    @abstractmethod
    async def renew(self, held: Mapping[str, Claim], lease: timedelta) -> Mapping[str, Wanted | None]:
        """Renew claims, at once or not at all; the answer is what is wanted of each, `None` where the claim is void.

        Raises:
            BrokerUnavailable: when the ledger cannot be reached.
        """

    @abstractmethod
    def wake_ups(self) -> AsyncIterator[str]:
        """Yield, for ever, the ids of jobs whose Executor has something to look at; `""`: all of them."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of all connections."""


class RedisBackend(Backend):
    """In Redis, for everybody who can reach it."""

    def __init__(self, url: str, bounds: Bounds, timeout: timedelta, patience: timedelta = timedelta(0)) -> None:
        """Remember where; nothing is connected yet.

        Args:
            url: redis-py's URL.
            bounds: of records and streams.
            timeout: how long to wait for a connection, and for an answer.
            patience: how long an Executor's word may wait for Redis to return before it fails.
        """
        self._connect: Callable[[timedelta], AsyncRedisClient] = lambda p: AsyncRedisClient(url, timeout, p)
        self._bounds = bounds
        self._client = self._connect(patience)
        self.ledger = RedisLedger(self._client, bounds)

    @asynccontextmanager
    async def watching(
        self, job_id: str, *, timeout: float | None = None, replay: bool = True
    ) -> AsyncIterator[WatcherCommunicator]:
        """Watch a job, on a connection of its own."""
        client = self._connect(timedelta(0))
        try:
            watcher = RedisCommunicator(client, job_id, self._bounds, timeout=timeout, replay=replay)
            await watcher.open()
            yield watcher
        finally:
            await client.close()

    async def record(self, job_id: str) -> JobRecord:
        """Read the record."""
        return await self._client.run(commands.read_record(job_id))

    async def wish(self, job_id: str, wish: Wish) -> JobState:
        """Note what is wanted, durably, and wake the Executor."""
        return await self._client.run(commands.express_wish(job_id, wish, self._bounds))

    async def send(self, job_id: str, message: UserMessage) -> JobState:
        """Send a message."""
        return await self._client.run(commands.send_message(job_id, message, self._bounds))

    async def renew(self, held: Mapping[str, Claim], lease: timedelta) -> Mapping[str, Wanted | None]:
        """Renew claims in one round trip, without a second try."""
        return await self._client.run(commands.renew(held, lease), patient=False)

    def wake_ups(self) -> AsyncIterator[str]:
        """Yield what the wake-up channel says."""
        return self._client.wake_ups()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


class MemoryBackend(Backend):
    """In this process, for this event loop."""

    def __init__(self, ledger: MemoryLedger | None = None) -> None:
        """Share a ledger, or a new one without jobs."""
        self.ledger: MemoryLedger = ledger or MemoryLedger()

    @asynccontextmanager
    async def watching(
        self, job_id: str, *, timeout: float | None = None, replay: bool = True
    ) -> AsyncIterator[WatcherCommunicator]:
        """Watch a job."""
        watcher = MemoryCommunicator(self.ledger, job_id, timeout=timeout, replay=replay)
        await watcher.open()
        yield watcher

    async def record(self, job_id: str) -> JobRecord:
        """Return the record."""
        return self.ledger.record(job_id)

    async def wish(self, job_id: str, wish: Wish) -> JobState:
        """Note what is wanted, and wake the Executor."""
        return self.ledger.wish(job_id, wish)

    async def send(self, job_id: str, message: UserMessage) -> JobState:
        """Send a message."""
        return self.ledger.send(job_id, message)

    async def renew(self, held: Mapping[str, Claim], lease: timedelta) -> Mapping[str, Wanted | None]:  # noqa: ARG002
        """Renew nothing: in one process no claim can be lost."""
        return {job_id: self.ledger.wanted(job_id) for job_id in held}

    async def wake_ups(self) -> AsyncIterator[str]:
        """Yield nothing: the ledger wakes its Executors itself."""
        nobody: tuple[str, ...] = ()
        for job_id in nobody:
            yield job_id

    async def close(self) -> None:
        """Nothing to let go of."""


def backend_at(url: str, bounds: Bounds, timeout: timedelta, patience: timedelta = timedelta(0)) -> Backend:
    """Return the back-end that a URL names: `redis://…`, `rediss://…`, `unix://…`, or `memory:`.

    Raises:
        SettingsError: for any other.
    """
    scheme = url.partition(":")[0]
    if scheme in ("redis", "rediss", "unix"):
        return RedisBackend(url, bounds, timeout, patience)
    if scheme == "memory":
        return MemoryBackend()
    raise SettingsError(f"no back-end is called {scheme!r}; give redis://, rediss://, unix:// or memory:")
