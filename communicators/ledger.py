"""What an Executor says to the record of its job."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from . import commands
from .commands import Bounds
from .messages import Message, UserMessage
from .outcome import Outcome
from .record import AttemptFacts, Claim, Provenance, RunFacts, Wanted
from .redis_client import AsyncRedisClient

__all__ = ["Ledger", "RedisLedger"]


class Ledger(ABC):
    """Takes the word of whoever holds the newest claim on a job; raises `Superseded` for anybody else.

    `start` and `emit` answer with what somebody wants of the Executor.
    """

    def __init__(self) -> None:
        """Start with nobody to be woken."""
        self._listeners: set[tuple[str, Callable[[], None]]] = set()

    @contextmanager
    def waking(self, job_id: str, wake: Callable[[], None]) -> Iterator[None]:
        """Have `wake` called when somebody may want something of a job's Executor, for as long as this lasts."""
        listener = (job_id, wake)
        self._listeners.add(listener)
        try:
            yield
        finally:
            self._listeners.discard(listener)

    def wake(self, job_id: str = "") -> None:
        """Wake the Executors of a job, or all of them: what was wanted meanwhile nobody knows."""
        for listener, wake in list(self._listeners):
            if job_id in ("", listener):
                wake()

    @abstractmethod
    async def start(self, held: Claim, run: RunFacts) -> Wanted:
        """Note that the program runs."""

    @abstractmethod
    async def cancelling(self, held: Claim) -> None:
        """Note that the program is being stopped."""

    @abstractmethod
    async def pause(self, held: Claim) -> None:
        """Note that the program stands still."""

    @abstractmethod
    async def resume(self, held: Claim) -> None:
        """Note that the program goes on."""

    @abstractmethod
    async def emit(self, held: Claim, messages: Sequence[Message]) -> Wanted:
        """Add messages that change no state."""

    @abstractmethod
    async def read_inward(self, held: Claim, after: str) -> list[UserMessage]:
        """Return what producers have sent to the task after a position (`0`: from the first on)."""

    @abstractmethod
    async def release(self, held: Claim, attempt: AttemptFacts, note: str, delay: timedelta) -> None:
        """Give the job back, to be attempted again after a pause."""

    @abstractmethod
    async def close(self, held: Claim, outcome: Outcome, provenance: Provenance) -> None:
        """Close the job with its one terminal state."""


class RedisLedger(Ledger):
    """Records in Redis, shared by all."""

    def __init__(self, client: AsyncRedisClient, bounds: Bounds) -> None:
        """Use a client and the bounds of records and streams."""
        super().__init__()
        self._client = client
        self._bounds = bounds

    async def start(self, held: Claim, run: RunFacts) -> Wanted:
        """Note that the program runs."""
        return await self._client.run(commands.start(held, run, self._bounds))

    async def cancelling(self, held: Claim) -> None:
        """Note that the program is being stopped."""
        await self._client.run(commands.cancelling(held, self._bounds))

    async def pause(self, held: Claim) -> None:
        """Note that the program stands still."""
        await self._client.run(commands.pause(held, self._bounds))

    async def resume(self, held: Claim) -> None:
        """Note that the program goes on."""
        await self._client.run(commands.resume(held, self._bounds))

    async def emit(self, held: Claim, messages: Sequence[Message]) -> Wanted:
        """Add messages that change no state."""
        return await self._client.run(commands.emit(held, messages, self._bounds))

    async def read_inward(self, held: Claim, after: str) -> list[UserMessage]:
        """Return what producers have sent to the task after a position."""
        return await self._client.run(commands.read_inward(held.spec.id, after))

    async def release(self, held: Claim, attempt: AttemptFacts, note: str, delay: timedelta) -> None:
        """Give the job back, to be attempted again after a pause."""
        await self._client.run(commands.release(held, attempt, note, delay, self._bounds))

    async def close(self, held: Claim, outcome: Outcome, provenance: Provenance) -> None:
        """Close the job with its one terminal state."""
        await self._client.run(commands.close(held, outcome, provenance, self._bounds))
