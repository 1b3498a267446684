"""A coordinator's hold on one job, the same for every strategy."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from ...communicators import JobRecord, JobState, Message, Outcome, Report, UserMessage, Wish, pack, unpack
from ...config.errors import IllegalTransition, WaitTimeout
from ..typed_result import job_result
from .strategy import TaskExecutionStrategy

__all__ = ["CoordinatedJob"]

R = TypeVar("R")


class CoordinatedJob(Generic[R]):
    """One job that was submitted to a coordinator. Whoever drops it loses nothing: the coordinator keeps the job."""

    def __init__(
        self,
        job_id: str,
        mode: str,
        strategy: TaskExecutionStrategy,
        adapter: TypeAdapter[Any] | None,
        *,
        can_pause: bool = True,
    ) -> None:
        """Hold a job; `Coordinator.submit` makes it."""
        self.id = job_id
        #: The strategy that carries it out.
        self.mode = mode
        self._strategy = strategy
        #: Has the outcome once the coordinator has heard of it.
        self.ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._adapter = adapter
        self._can_pause = can_pause

    def __repr__(self) -> str:
        return f"<CoordinatedJob {self.id} ({self.mode})>"

    async def status(self) -> JobState:
        """Return where the job stands. Raises `JobNotFound` once the record has expired."""
        return (await self.record()).state

    async def record(self) -> JobRecord:
        """Return all that is known about the job."""
        return await self._strategy.backend.record(self.id)

    async def cancel(self) -> JobState:
        """Ask for the job's end, and return at once. Of a queued job it is the end; of a closed one it changes nothing."""
        return await self._strategy.backend.wish(self.id, Wish.CANCEL)

    async def pause(self) -> JobState:
        """Have the program and all that it started stand still; its clock stops, too.

        Raises:
            IllegalTransition: when the job is still queued, or is a plain function, which nobody can stop.
        """
        if not self._can_pause:
            raise IllegalTransition(self.id, await self.status(), JobState.PAUSED)
        return await self._strategy.backend.wish(self.id, Wish.PAUSE)

    async def resume(self) -> JobState:
        """Let a paused program go on."""
        return await self._strategy.backend.wish(self.id, Wish.NOTHING)

    async def send(self, value: Any) -> JobState:
        """Send a value to the running task, or to the one that will run.

        Raises:
            JobClosed: when the job has ended.
            TooManyMessages: when it was sent 1,000 already.
            CannotPack, ArtifactError: when the value cannot be sent.
        """
        strategy = self._strategy
        packed = await asyncio.to_thread(pack, value, strategy.store, f"{self.id}/sent", strategy.inline_limit)
        return await strategy.backend.send(self.id, UserMessage(value=packed, source="producer"))

    async def wait(self, timeout: float | None = None) -> Outcome:
        """Wait for the job's end, and return how it ended.

        Raises:
            WaitTimeout: when it has not ended after `timeout` seconds.
        """
        await asyncio.wait({self.ended}, timeout=timeout)
        if not self.ended.done():
            raise WaitTimeout(self.id, timeout or 0.0, await self.status())
        return self.ended.result()

    async def result(self, timeout: float | None = None) -> R:
        """Wait for the job's end, and return its result, in the type that the task promises.

        Raises:
            JobFailed, JobTimedOut, JobCancelled, JobLost: with the reason and the last lines of standard error.
            WaitTimeout: when it has not ended after `timeout` seconds.
            ArtifactUnavailable, ArtifactDamaged: when a part of it cannot be had from the artefact store.
        """
        outcome = await self.wait(timeout)
        words = (self.id, outcome, self._adapter, self._strategy.store)
        if isinstance(outcome.result, str | int | float | None):  # nothing to be fetched
            found: R = job_result(*words)
            return found
        return await asyncio.to_thread(job_result, *words)

    async def watch(self, timeout: float | None = None, *, replay: bool = True) -> AsyncIterator[Message]:
        """Yield where the job stands, if it has begun, then its messages as they come, until the terminal one.

        Args:
            timeout: seconds until `WaitTimeout` is raised; `None`: never.
            replay: whether to begin with the job's first message, or with the next one.

        Raises:
            WaitTimeout: when the job has not ended after `timeout` seconds.
            JobNotFound: when the record has expired.
        """
        async with self._strategy.backend.watching(self.id, timeout=timeout, replay=replay) as watcher:
            if (snapshot := await watcher.snapshot()) is not None:
                yield snapshot
            while (message := await watcher.read()) is not None:
                yield await asyncio.to_thread(self._unpacked, message) if isinstance(message, Report) else message

    def _unpacked(self, message: Report) -> Report:
        return message.model_copy(update={"value": unpack(message.value, self._strategy.store)})
