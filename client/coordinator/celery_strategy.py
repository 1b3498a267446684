"""The strategy whose Executors live in the workers of a cluster."""

import asyncio
import contextlib
import functools
import time
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from ...communicators import AsyncRedisClient, Backend, JobState, Message, Wish, backend_at, commands
from ...config import Settings, load_settings
from ...config.errors import BrokerUnavailable, CannotTravel, CoordinatorClosed, DuplicateJob, JobNotFound, QueueFull
from ...worker import PlainCall
from ..client import Client
from ..cluster_detail import cluster_detail
from ..submit_options import SubmitOptions
from ..system_detail import StrategyDetail
from .follower import Follower
from .invocation import Invocation
from .order import Order, is_plain
from .strategy import TaskExecutionStrategy

__all__ = ["CeleryExecutionStrategy"]

T = TypeVar("T")

#: Between two tries to get a place in a full queue.
_FULL_PAUSE_SECONDS = 0.05
#: Beyond the grace of programs, how long a job may take to end once it was cancelled.
_END_SECONDS = 10.0


class CeleryExecutionStrategy(TaskExecutionStrategy):
    """Submits jobs to the cluster that the settings name, and follows them.

    The bounds are the cluster's: the slots of its workers, and `OUTRIDER_MAX_QUEUED`. Its workers carry out the tasks of
    their own catalogues, and no functions that were not made tasks.
    """

    def __init__(self, *, detached: bool = False, settings: Settings | None = None) -> None:
        """Prepare; nothing is connected yet.

        Args:
            detached: whether jobs go on when the coordinator is shut down; `outrider.job(id)` finds them again.
            settings: where the cluster is.
        """
        self._settings = settings or load_settings()
        self._client = Client(self._settings)
        self._detached = detached
        self._closed = False
        self._mode = ""
        #: What a shutdown waits for.
        self._under_way: set[asyncio.Task[Any]] = set()
        self.store = self._client.store
        self.inline_limit = self._client.inline_limit

    def start(self, mode: str, publish: Callable[[Message], None]) -> None:
        """Begin; the first job connects."""
        if self._mode:
            raise RuntimeError("a strategy serves one coordinator, once")
        self._mode = mode
        self._publish = publish

    @functools.cached_property
    def backend(self) -> Backend:  # type: ignore[override] # made when it is first needed, on the loop that needs it
        """The cluster's ledger."""
        return backend_at(self._client.redis.url, self._client.bounds, self._settings.connect_timeout)

    @functools.cached_property
    def _follower(self) -> Follower:
        return Follower(AsyncRedisClient(self._client.redis.url, self._settings.connect_timeout), self._publish)

    def order(self, invocation: Invocation[Any]) -> Order:
        """Return what is to be submitted."""
        if is_plain(invocation.task):
            why = "workers carry out tasks alone: make it one by @outrider.task, in a module that OUTRIDER_TASKS names"
            raise CannotTravel(PlainCall(invocation.task).name, why)
        return invocation.order(self._client.preparer)

    async def execute(self, order: Order) -> str:
        """Submit a job."""
        options, give_up = order.options, None
        if options.timeout is not None:
            give_up = time.monotonic() + options.timeout
        while True:
            if self._closed:
                raise CoordinatorClosed
            try:
                job_id = await self._handed_over(order)
                break
            except QueueFull:
                if not options.block or (give_up is not None and time.monotonic() >= give_up):
                    raise
            await asyncio.sleep(_FULL_PAUSE_SECONDS)
        if self._closed:  # meanwhile
            await self._regret(order, job_id)
            raise CoordinatorClosed
        self._follower.follow(job_id)
        return job_id

    async def detail(self) -> StrategyDetail:
        """Return how the cluster stands, with everybody's jobs."""
        detail = await asyncio.to_thread(lambda: cluster_detail(self._client.redis, self._settings))
        return detail.model_copy(update={"mode": self._mode})

    async def shutdown(self, grace: timedelta) -> None:
        """Cancel our jobs that wait, let those that run go on for the grace, and then cancel them as well."""
        self._closed = True
        try:
            while self._under_way:
                await asyncio.wait(self._under_way)
            if "_follower" in vars(self) and not self._detached:
                await self._end_jobs(grace)
        finally:
            await self._let_go()

    async def _end_jobs(self, grace: timedelta) -> None:
        await self._cancel(only_queued=True)
        await self._follower.all_ended(grace.total_seconds())
        await self._cancel()
        await self._follower.all_ended(self._settings.grace.total_seconds() + _END_SECONDS)

    async def _let_go(self) -> None:
        """Close what was opened."""
        if "_follower" in vars(self):
            await self._follower.close()
        if "backend" in vars(self):
            await self.backend.close()
        if "redis" in vars(self._client):
            self._client.redis.close()

    async def _handed_over(self, order: Order) -> str:
        """Hand a job over, and return its id. Who is cancelled meanwhile leaves no job."""
        handing = self._do(asyncio.to_thread(self._hand_over, order))
        try:
            return await asyncio.shield(handing)
        except asyncio.CancelledError:
            self._do(self._regret_when(order, handing))
            raise

    async def _regret_when(self, order: Order, handing: "asyncio.Task[str]") -> None:
        await asyncio.wait({handing})
        if handing.exception() is None:
            await self._regret(order, handing.result())

    async def _regret(self, order: Order, job_id: str) -> None:
        """Cancel a job that nobody wants any more, unless it is an older one."""
        if job_id == order.spec.id:
            with contextlib.suppress(BrokerUnavailable):
                await self.backend.wish(job_id, Wish.CANCEL)

    def _do(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Do something that a shutdown waits for."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    def _hand_over(self, order: Order) -> str:
        redis = self._client.redis
        if order.has_own_id and redis.run(commands.job_exists(order.spec.id)):
            raise DuplicateJob(order.spec.id)
        once = SubmitOptions(idempotency_key=order.options.idempotency_key)  # who waits for a place does so here
        return self._client.submission.hand_over(order.spec, once)

    async def _cancel(self, *, only_queued: bool = False) -> None:
        for job_id in self._follower.open_jobs:
            try:
                if not only_queued or (await self.backend.record(job_id)).state is JobState.QUEUED:
                    await self.backend.wish(job_id, Wish.CANCEL)
            except (
                JobNotFound,
                BrokerUnavailable,
            ):  # it ended long ago, or the ledger will have it cancelled by nobody
                continue
