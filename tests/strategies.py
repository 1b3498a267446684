"""A coordinator with one strategy, whichever it is: what the conformance suite says is said of each alike."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import redis

from outrider import (
    AsyncioExecutionStrategy,
    CeleryExecutionStrategy,
    CoordinatedJob,
    Coordinator,
    Finished,
    JobState,
    ProcessExecutionStrategy,
    TaskExecutionStrategy,
    ThreadedExecutionStrategy,
)
from outrider.communicators import Message
from outrider.config import Settings, load_settings

LOCAL = {
    "asyncio": AsyncioExecutionStrategy,
    "thread": ThreadedExecutionStrategy,
    "process": ProcessExecutionStrategy,
}
MODES = (*LOCAL, "celery")


class Conformance:
    """Makes coordinators of one mode. On the cluster, a worker with so many slots takes from a queue of its own."""

    def __init__(
        self, mode: str, start_worker: Callable[..., Any], *, concurrency: int, own_ledger: bool = False
    ) -> None:
        self.mode = mode
        self.is_local = mode in LOCAL
        self.concurrency = concurrency
        self.queue = f"{mode}-{concurrency}-{uuid.uuid4().hex[:6]}"
        self.worker = None
        #: Where nobody else has jobs, if that is wanted; else everybody's.
        self.changes = {"broker_url": emptied_ledger(6)} if own_ledger and not self.is_local else {}
        if not self.is_local:
            own = {f"OUTRIDER_{name.upper()}": value for name, value in self.changes.items()}
            self.worker = start_worker(concurrency=concurrency, OUTRIDER_QUEUE=self.queue, OUTRIDER_LEASE="4", **own)

    def strategy(self, *, manned: bool = True, **changes: Any) -> TaskExecutionStrategy:
        """Return a strategy; not `manned`: one whose jobs nobody will ever take, with a ledger of its own."""
        settings = self.settings(manned=manned, **changes)
        if self.is_local:
            return LOCAL[self.mode](concurrency=self.concurrency, settings=settings)
        return CeleryExecutionStrategy(settings=settings)

    def settings(self, *, manned: bool = True, **changes: Any) -> Settings:
        own = self.changes if manned else {"broker_url": emptied_ledger(7)}
        return load_settings().model_copy(update={"queue": self.queue, **own, **changes})

    def run(self, body: Callable[["Session"], Awaitable[Any]], seconds: float = 60, **changes: Any) -> Any:
        """Run a test's body with a coordinator, which is shut down at the end."""

        async def main() -> Any:
            async with asyncio.timeout(seconds), self.session(**changes) as session:
                return await body(session)

        return asyncio.run(main())

    @asynccontextmanager
    async def session(self, **changes: Any) -> AsyncIterator["Session"]:
        async with Coordinator({self.mode: self.strategy(**changes)}) as coordinator:
            yield Session(self, coordinator)


def emptied_ledger(database: int) -> str:
    """Return the URL of another database of the tests' Redis, emptied."""
    url = str(load_settings().broker_url).replace("db=0", f"db={database}")
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


class Session:
    """A coordinator at work, and everything that its publisher has said."""

    def __init__(self, conformance: Conformance, coordinator: Coordinator) -> None:
        self.mode = conformance.mode
        self.is_local = conformance.is_local
        self.concurrency = conformance.concurrency
        self.coordinator = coordinator
        self.told: list[Message] = []
        coordinator.publisher.subscribe(self.told.append)

    async def submit(self, task: Any, parameters: Any = None, **options: Any) -> CoordinatedJob[Any]:
        return await self.coordinator.submit(task, self.mode, parameters, **options)

    async def running(self, job: CoordinatedJob[Any]) -> CoordinatedJob[Any]:
        await until(job.status, lambda state: state == JobState.RUNNING, "it runs")
        return job

    async def occupied(self, task: Any) -> list[CoordinatedJob[Any]]:
        """Take every slot with a task that does not end."""
        return [await self.running(await self.submit(task)) for _ in range(self.concurrency)]

    def of(self, job: CoordinatedJob[Any], kind: type) -> list[Any]:
        return [m for m in self.told if isinstance(m, kind) and m.stamp and m.stamp.job_id == job.id]

    async def detail(self) -> Any:
        (detail,) = (await self.coordinator.system_detail()).strategies
        return detail

    async def ends(self) -> dict[str, list[JobState]]:
        """Return the terminal states that subscribers were told, by job."""
        await self.coordinator.publisher.flush(5)
        found: dict[str, list[JobState]] = {}
        for message in self.told:
            if isinstance(message, Finished) and message.stamp:
                found.setdefault(message.stamp.job_id, []).append(message.outcome.state)
        return found


async def until(ask: Callable[[], Any], condition: Callable[[Any], object], message: str, seconds: float = 15.0) -> Any:
    """Ask until the answer is as it should be, and return it; fail with the message when it never is."""
    give_up = asyncio.get_running_loop().time() + seconds
    while True:
        answer = ask()
        answer = await answer if asyncio.iscoroutine(answer) else answer
        if condition(answer):
            return answer
        if asyncio.get_running_loop().time() > give_up:
            raise AssertionError(f"not within {seconds:g} s: {message}; the last answer was {answer!r}")
        await asyncio.sleep(0.01)
