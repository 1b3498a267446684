"""What an Executor says to the record of its job, and the two places where records live."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ..config.errors import IllegalTransition, JobNotFound, Superseded
from . import commands
from .commands import Bounds
from .messages import Finished, Heartbeat, Message, Progress, StateChanged
from .outcome import Outcome
from .record import AttemptFacts, Claim, JobRecord, JobSpec, Provenance, RunFacts, Wish
from .redis_client import AsyncRedisClient
from .states import JobState, sources

__all__ = ["Ledger", "MemoryLedger", "RedisLedger"]


class Ledger(ABC):
    """Takes the word of whoever holds the newest claim on a job; raises `Superseded` for anybody else.

    `start` and `emit` answer with what somebody wants of the Executor.
    """

    @abstractmethod
    async def start(self, held: Claim, run: RunFacts) -> Wish:
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
    async def emit(self, held: Claim, messages: Sequence[Message]) -> Wish:
        """Add messages that change no state."""

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
        self._client = client
        self._bounds = bounds

    async def start(self, held: Claim, run: RunFacts) -> Wish:
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

    async def emit(self, held: Claim, messages: Sequence[Message]) -> Wish:
        """Add messages that change no state."""
        return await self._client.run(commands.emit(held, messages, self._bounds))

    async def release(self, held: Claim, attempt: AttemptFacts, note: str, delay: timedelta) -> None:
        """Give the job back, to be attempted again after a pause."""
        await self._client.run(commands.release(held, attempt, note, delay, self._bounds))

    async def close(self, held: Claim, outcome: Outcome, provenance: Provenance) -> None:
        """Close the job with its one terminal state."""
        await self._client.run(commands.close(held, outcome, provenance, self._bounds))


class MemoryLedger(Ledger):
    """The twin in memory: same rules, one process, no Redis."""

    def __init__(self) -> None:
        """Start with no jobs."""
        self._records: dict[str, JobRecord] = {}
        self._tokens: dict[str, int] = {}
        #: All messages of a job, in order.
        self.messages: dict[str, list[Message]] = {}

    def open(self, spec: JobSpec) -> None:
        """Open a record in state `queued`."""
        self._records[spec.id] = JobRecord(spec=spec, state=JobState.QUEUED, queued_at=datetime.now(UTC))
        self.messages[spec.id] = [StateChanged(state=JobState.QUEUED)]

    def claim(self, job_id: str, worker: str) -> Claim:
        """Claim a queued job."""
        record = self._records[job_id]
        token = self._tokens[job_id] = self._tokens.get(job_id, 0) + 1
        held = Claim(spec=record.spec, token=token, attempt=record.attempt + 1, worker=worker)
        facts = {"attempt": held.attempt, "worker": worker, "claimed_at": datetime.now(UTC)}
        self._move(held, JobState.STARTING, StateChanged(state=JobState.STARTING), **facts)
        return held

    def wish(self, job_id: str, wish: Wish) -> None:
        """Set what `start` and `emit` answer with."""
        self._records[job_id] = self._records[job_id].model_copy(update={"wish": wish})

    def record(self, job_id: str) -> JobRecord:
        """Return a job's record."""
        return self._records[job_id]

    async def start(self, held: Claim, run: RunFacts) -> Wish:
        """Note that the program runs."""
        message = StateChanged(state=JobState.RUNNING, source="executor")
        return self._move(held, JobState.RUNNING, message, run=run, started_at=datetime.now(UTC))

    async def cancelling(self, held: Claim) -> None:
        """Note that the program is being stopped."""
        self._move(held, JobState.CANCELLING, StateChanged(state=JobState.CANCELLING, source="executor"))

    async def pause(self, held: Claim) -> None:
        """Note that the program stands still."""
        self._move(held, JobState.PAUSED, StateChanged(state=JobState.PAUSED, source="executor"))

    async def resume(self, held: Claim) -> None:
        """Note that the program goes on."""
        self._move(held, JobState.RUNNING, StateChanged(state=JobState.RUNNING, source="executor"))

    async def release(self, held: Claim, attempt: AttemptFacts, note: str, delay: timedelta) -> None:  # noqa: ARG002
        """Give the job back, to be attempted again; whoever plays the broker minds the pause."""
        attempts = {**self._records[held.spec.id].attempts, held.attempt: attempt}
        self._move(held, JobState.QUEUED, StateChanged(state=JobState.QUEUED, note=note), attempts=attempts)
        self._tokens[held.spec.id] += 1

    async def emit(self, held: Claim, messages: Sequence[Message]) -> Wish:
        """Add messages that change no state."""
        await asyncio.sleep(0)
        record = self._owned(held)
        if record.state.is_terminal:
            raise Superseded(held.spec.id)
        self.messages[record.id].extend(messages)
        newest: dict[str, object] = {m.kind: m for m in messages if isinstance(m, Progress | Heartbeat)}
        self._records[record.id] = record.model_copy(update=newest)
        return record.wish

    async def close(self, held: Claim, outcome: Outcome, provenance: Provenance) -> None:
        """Close the job with its one terminal state."""
        facts = {"outcome": outcome, "provenance": provenance, "ended_at": datetime.now(UTC)}
        self._move(held, outcome.state, Finished(outcome=outcome, source="executor"), **facts)

    def _owned(self, held: Claim) -> JobRecord:
        record = self._records.get(held.spec.id)
        if record is None:
            raise JobNotFound(held.spec.id)
        if self._tokens[record.id] != held.token:
            raise Superseded(record.id)
        return record

    def _move(self, held: Claim, target: JobState, message: Message, **facts: object) -> Wish:
        record = self._owned(held)
        if record.state is target:
            return record.wish
        if record.state not in sources(target):
            raise IllegalTransition(record.id, record.state, target)
        self._records[record.id] = record.model_copy(update={"state": target, **facts})
        self.messages[record.id].append(message)
        return record.wish
