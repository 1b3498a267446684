"""A strategy without a broker: a bounded queue in front of slots, over a ledger in memory."""

import asyncio
import contextlib
import logging
import os
import time
from collections import deque
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
from ...config.errors import CannotTravel, CoordinatorClosed, IdempotencyKeyReused, LedgerError, QueueFull
from ...tasks import Task, is_found_at_its_place
from ...worker import LocalHost, PlainCall, Released, Work
from ..preparer import Preparer
from ..system_detail import JobCounts, QueueDetail, StrategyDetail
from .homes import worker_detail
from .invocation import Invocation
from .order import Order
from .strategy import TaskExecutionStrategy

__all__ = ["LocalStrategy"]

logger = logging.getLogger(__name__)

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
        self._busy = 0
        self._work: dict[str, Work] = {}
        self._waiting: deque[str] = deque()
        #: Those who wait for a place in the queue.
        self._wanting: set[asyncio.Future[None]] = set()
        self._attempts: set[asyncio.Task[None]] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._mode = ""
        self._closed = False
        self.store = ArtifactStore(settings.artifact_store_url)
        self.inline_limit = int(settings.inline_limit)

    def start(self, mode: str, publish: Callable[[Message], None]) -> None:
        """Begin with an empty ledger."""
        self._mode = mode

        def told(message: Message) -> None:
            publish(message)
            match message:
                case Finished():
                    self._ended.set()
                    self._offer_places()
                case StateChanged(state=JobState.STARTING):
                    self._offer_places()

        self._ended = asyncio.Event()
        self._ledger = MemoryLedger(Bounds(self._settings.stream_length, self._settings.retention), told)
        self.backend = MemoryBackend(self._ledger)

    def order(self, invocation: Invocation[Any]) -> Order:
        """Return what is to be executed, if it can be brought to the host."""
        order = invocation.order(self._preparer, self._mode)
        if (
            not isinstance(order.work, PlainCall)
            and issubclass(order.work, Task)
            and not is_found_at_its_place(order.work)
        ):
            why = "its process would not find the class: define it at the top of a module or script"
            raise CannotTravel(order.work.__qualname__, why)
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
            jobs=JobCounts(**{state: counts[state] for state in JobState}),
            queues=(QueueDetail(name=self._mode, queued=counts[JobState.QUEUED], limit=self._max_queued),),
            slots=self._slots,
            workers=tuple(worker_detail(home, self._slots) for home in self._host.homes),
        )

    async def shutdown(self, grace: timedelta) -> None:
        """Cancel what waits, let what runs go on for the grace, and then cancel it as well."""
        self._closed = True
        self._offer_places()
        for job_id in list(self._work):
            if self._ledger.record(job_id).state is JobState.QUEUED:
                error = "cancelled before it started: its coordinator was shut down"
                self._ledger.close_unclaimed(job_id, Outcome(state=JobState.CANCELLED, error=error))
        await self._all_ended(grace.total_seconds())
        for job_id in self._open_jobs():
            self._ledger.wish(job_id, Wish.CANCEL)
        await self._all_ended(self._settings.grace.total_seconds() + _END_SECONDS)
        self._host.abandon()
        if self._attempts:  # their jobs have ended, and something may be left to be tidied up
            await asyncio.wait(self._attempts, timeout=_END_SECONDS)
        for attempt in self._attempts:
            attempt.cancel()
        for timer in self._timers.values():
            timer.cancel()
        await self._host.close()
        for job_id in self._open_jobs():
            error = "its coordinator was shut down and could not stop it"
            self._ledger.take_and_close(job_id, Outcome(state=JobState.LOST, error=error))

    def _accept(self, order: Order) -> str:
        options = order.options
        job_id = self._ledger.open(order.spec, max_queued=self._max_queued, idempotency_key=options.idempotency_key)
        if job_id != order.spec.id:
            first = self._ledger.record(job_id).spec
            if (first.task, first.parameters) != (order.spec.task, order.spec.parameters):
                raise IdempotencyKeyReused(options.idempotency_key or "", job_id, first.task)
            return job_id
        self._work[job_id] = order.work
        if (limit := order.spec.limits.queue) is not None:
            loop = asyncio.get_running_loop()
            self._timers[job_id] = loop.call_later(limit.total_seconds(), self._waited_too_long, job_id)
        self._enqueue(job_id)
        return job_id

    def _enqueue(self, job_id: str) -> None:
        self._waiting.append(job_id)
        self._fill_slots()

    def _fill_slots(self) -> None:
        while self._waiting and self._busy < self._slots and not self._closed:
            job_id = self._waiting.popleft()
            if job_id in self._ledger.records and self._ledger.record(job_id).state is JobState.QUEUED:
                self._busy += 1
                self._stop_timer(job_id)
                attempt = asyncio.create_task(self._carry_out(job_id))
                self._attempts.add(attempt)
                attempt.add_done_callback(self._attempts.discard)
            else:
                self._forget(job_id)

    async def _carry_out(self, job_id: str) -> None:
        end: Outcome | Released | None = None
        try:
            end = await self._host.carry_out(job_id, self._work[job_id], self._ledger)
        except LedgerError as refusal:  # it was cancelled just now
            logger.info("not carried out: %s", refusal, extra={"action": "job_refused", "job_id": job_id})
        except Exception:  # a defect of ours costs this job alone
            logger.exception("the host failed", extra={"action": "host_failed", "job_id": job_id})
            outcome = Outcome(state=JobState.LOST, error="its host failed; the log has the traceback")
            self._ledger.take_and_close(job_id, outcome)
        finally:
            self._busy -= 1
            if isinstance(end, Released) and not self._closed:
                loop = asyncio.get_running_loop()
                self._timers[job_id] = loop.call_later(end.delay.total_seconds(), self._enqueue, job_id)
            else:
                self._forget(job_id)
            self._fill_slots()

    def _forget(self, job_id: str) -> None:
        self._work.pop(job_id, None)
        self._stop_timer(job_id)

    def _stop_timer(self, job_id: str) -> None:
        if (timer := self._timers.pop(job_id, None)) is not None:
            timer.cancel()

    def _waited_too_long(self, job_id: str) -> None:
        if self._ledger.record(job_id).attempt == 0:
            outcome = Outcome(state=JobState.TIMED_OUT, error="it waited in the queue longer than its limit")
            self._ledger.close_unclaimed(job_id, outcome)

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

    def _open_jobs(self) -> list[str]:
        return [job_id for job_id in self._work if not self._ledger.record(job_id).state.is_terminal]

    async def _all_ended(self, seconds: float) -> None:
        """Wait so long until no job is open. One that is queued again is closed: there will be no other attempt."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while open_jobs := self._open_jobs():
                    self._ended.clear()
                    for job_id in open_jobs:
                        error = "its coordinator was shut down before another attempt"
                        self._ledger.close_unclaimed(job_id, Outcome(state=JobState.CANCELLED, error=error))
                    if self._open_jobs():
                        await self._next_end()

    async def _next_end(self) -> None:
        """Wait for a job's end, or for an attempt's, after which its job may be queued again."""
        ended = asyncio.create_task(self._ended.wait())
        try:
            await asyncio.wait({ended, *self._attempts}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
