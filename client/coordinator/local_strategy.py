"""A strategy without a broker: a bounded queue in front of slots, over a ledger in memory."""

import asyncio
import os
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from ...communicators import (
    ArtifactStore,
    Bounds,
    Finished,
    JobState,
    MemoryBackend,
    MemoryLedger,
    Message,
    Outcome,
    StateChanged,
    Wish,
)
from ...config import Settings
from ...config.errors import CoordinatorClosed, IdempotencyKeyReused, QueueFull
from ...worker import LocalHost
from ..preparer import Preparer
from ..system_detail import JobCounts, QueueDetail, StrategyDetail
from .dispatcher import Dispatcher
from .homes import worker_detail
from .invocation import Invocation
from .order import Order
from .strategy import TaskExecutionStrategy

__all__ = ["LocalStrategy"]

#: Beyond the grace of programs, how long a job may take to end once it was cancelled.
_END_SECONDS = 10.0


class LocalStrategy(TaskExecutionStrategy):
    """Carries out jobs on a host of this machine, so many at once; others wait, and not too many of them."""

    def __init__(self, host: LocalHost, settings: Settings, concurrency: int | None, max_queued: int | None) -> None:
        """Prepare; nothing is started yet.

        Args:
            host: where Executors live.
            settings: what the operator decided.
            concurrency: how many jobs are carried out at once; `None`: the settings', else one for each processor.
            max_queued: how many may wait, 0 for any number; `None`: the settings'.
        """
        if concurrency is not None and concurrency < 1:
            raise ValueError(f"concurrency={concurrency}: at least one job must be carried out at a time")
        self._host = host
        self._settings = settings
        self._preparer = Preparer(settings)
        self._slots = concurrency or settings.concurrency or os.cpu_count() or 1
        self._max_queued = settings.max_queued if max_queued is None else max_queued
        #: Those who wait for a place in the queue.
        self._wanting: set[asyncio.Future[None]] = set()
        self._mode = ""
        self._closed = False
        self.store = ArtifactStore(settings.artifact_store_url)
        self.inline_limit = int(settings.inline_limit)

    def start(self, mode: str, publish: Callable[[Message], None]) -> None:
        """Begin with an empty ledger."""
        if self._mode:
            raise RuntimeError("a strategy serves one coordinator, once")
        self._mode = mode

        def told(message: Message) -> None:
            publish(message)
            match message:
                case Finished():
                    self._dispatcher.note_end()
                    self._offer_places()
                case StateChanged(state=JobState.STARTING):
                    self._offer_places()

        self._ledger = MemoryLedger(Bounds(self._settings.stream_length, self._settings.retention), told)
        self._dispatcher = Dispatcher(self._host, self._ledger, self._slots)
        self.backend = MemoryBackend(self._ledger)

    def order(self, invocation: Invocation[Any]) -> Order:
        """Return what is to be executed, if it can be brought to the host."""
        order = invocation.order(self._preparer, self._mode)
        self._host.check(order.work)
        return order

    async def execute(self, order: Order) -> str:
        """Take a job into the queue."""
        give_up = None if order.options.timeout is None else time.monotonic() + order.options.timeout
        while True:
            if self._closed:
                raise CoordinatorClosed
            try:
                return self._accept(order)
            except QueueFull:
                if not order.options.block or (give_up is not None and time.monotonic() >= give_up):
                    raise
            await self._place(give_up)

    async def detail(self) -> StrategyDetail:
        """Return how things stand."""
        counts = self._ledger.records.counts
        return StrategyDetail(
            mode=self._mode,
            jobs=JobCounts(**{state.value: counts[state] for state in JobState}),
            queues=(QueueDetail(name=self._mode, queued=counts[JobState.QUEUED], limit=self._max_queued),),
            slots=self._slots,
            workers=tuple(worker_detail(home, self._slots) for home in self._host.homes),
        )

    async def shutdown(self, grace: timedelta) -> None:
        """Cancel what waits, let what runs go on for the grace, and then cancel it as well."""
        self._closed = True
        self._offer_places()
        self._dispatcher.close()
        await self._dispatcher.all_ended(grace.total_seconds())
        for job_id in self._dispatcher.open_jobs():
            self._ledger.wish(job_id, Wish.CANCEL)
        await self._dispatcher.all_ended(self._settings.grace.total_seconds() + _END_SECONDS)
        self._host.abandon()
        await self._dispatcher.end(_END_SECONDS)
        await self._host.close()
        for job_id in self._dispatcher.open_jobs():
            error = "its coordinator was shut down and could not stop it"
            self._ledger.take_and_close(job_id, Outcome(state=JobState.LOST, error=error))

    def _accept(self, order: Order) -> str:
        key, room = order.options.idempotency_key, self._dispatcher.room
        bound = self._max_queued and self._max_queued + room
        try:
            job_id = self._ledger.open(order.spec, max_queued=bound, idempotency_key=key)
        except QueueFull as error:
            raise QueueFull(error.queued - room, self._max_queued) from None
        if job_id == order.spec.id:
            self._dispatcher.put(job_id, order.work, order.spec.limits.queue)
            return job_id
        first = self._ledger.record(job_id).spec
        if (first.task, first.parameters) != (order.spec.task, order.spec.parameters):
            raise IdempotencyKeyReused(key or "", job_id, first.task)
        return job_id

    async def _place(self, give_up: float | None) -> None:
        """Wait until somebody leaves the queue, or so long."""
        wanting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wanting.add(wanting)
        try:
            await asyncio.wait({wanting}, timeout=give_up and max(give_up - time.monotonic(), 0.0))
        finally:
            self._wanting.discard(wanting)

    def _offer_places(self) -> None:
        wanting, self._wanting = self._wanting, set()
        for place in wanting:
            if not place.done():
                place.set_result(None)
