"""Accepts jobs and has them carried out by the execution strategy that each of them names."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from ...communicators import Finished, Message, Outcome, Publisher
from ...config.errors import CoordinatorClosed, SubmittedAtImport, UnknownStrategy
from ...tasks import module_being_loaded
from ...worker import PlainCall
from ..submit_options import SubmitOptions
from ..system_detail import StrategyDetail, SystemDetail
from .coordinated_job import CoordinatedJob
from .invocation import Invocation
from .state import CoordinatorState
from .strategy import TaskExecutionStrategy

__all__ = ["Coordinator"]

logger = logging.getLogger(__name__)

#: How long subscribers get to take what was published before a shutdown.
_FLUSH_SECONDS = 10.0


class Coordinator:
    """Holds the strategies and the jobs that were submitted to them. All on one event loop.

    >>> async def main() -> int:
    ...     async with Coordinator({"asyncio": AsyncioExecutionStrategy()}) as coordinator:
    ...         job = await coordinator.submit(lambda: 6 * 7, "asyncio")
    ...         return await job.result()
    """

    def __init__(self, execution_modes: Mapping[str, TaskExecutionStrategy]) -> None:
        """Prepare; nothing is started yet.

        Args:
            execution_modes: the strategies, by the names that `submit` takes.

        Raises:
            TypeError, ValueError: when one of them is no strategy, or there is none, or one has two names.
        """
        for mode, strategy in execution_modes.items():
            if not isinstance(strategy, TaskExecutionStrategy):
                raise TypeError(f"the execution mode {mode!r} takes a TaskExecutionStrategy, not {strategy!r}")
        if not execution_modes or len(set(map(id, execution_modes.values()))) < len(execution_modes):
            raise ValueError("a coordinator takes at least one execution mode, and a strategy of its own for each")
        self._strategies = dict(execution_modes)
        self._publisher: Publisher | None = None
        self._has_own_publisher = True
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open: dict[str, CoordinatedJob[Any]] = {}
        self._shutting_down: asyncio.Task[None] | None = None
        #: Which jobs were opened, and which of them have ended.
        self.state = CoordinatorState.empty()

    async def __aenter__(self) -> Self:
        self._ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shutdown()

    def start(self, publisher: Publisher | None = None) -> None:
        """Begin on the running event loop: every message of every job goes to the publisher, and its subscribers.

        `submit` starts a coordinator that was not started.

        Raises:
            RuntimeError: when it was started already.
        """
        if self._publisher is not None:
            raise RuntimeError("a coordinator is started once")
        self._has_own_publisher = publisher is None
        self._begin(publisher or Publisher())

    @property
    def publisher(self) -> Publisher:
        """What tells of all jobs: `subscribe` to it."""
        return self._ready()

    def handle_item(self, item: Message) -> None:
        """Take note of a message: the terminal one ends a job. Messages about others' jobs are passed over."""
        if not isinstance(item, Finished) or item.stamp is None:
            return
        job_id = item.stamp.job_id
        if job_id in self.state and self.state[job_id].is_open:
            self._end(job_id, item.outcome)

    async def submit(
        self, task: Any, mode: str, parameters: Mapping[str, Any] | None = None, **options: Any
    ) -> CoordinatedJob[Any]:
        """Hand over a task, and return its job at once.

        Args:
            task: a task, the name of one, what `load_job` has read, a function or coroutine function without arguments,
                or an `Invocation` of one of these.
            mode: the name of the strategy.
            parameters: those of a task given by name, or in place of a job file's.
            options: what the submission decides beside, as for `outrider.submit`: `idempotency_key`, `block`, `timeout`,
                `limits`, `retry`, `queue`, `before`, `after`, `without`.

        Raises:
            UnknownStrategy, CoordinatorClosed: nothing is recorded.
            UnknownTask, InvalidParameters, InvalidFile, UnknownTasklet, InvalidTasklet, CannotTravel: likewise.
            QueueFull: when as many jobs wait as may, also after the time that the options give.
            BrokerUnavailable: when the strategy's broker does not answer.
            DuplicateJob: when the invocation's id is taken.
        """
        if (module := module_being_loaded()) is not None:
            raise SubmittedAtImport(module)
        strategy = self._strategy(mode)
        invocation = (
            task if isinstance(task, Invocation) else Invocation(None, task, parameters, SubmitOptions(**options))
        )
        order = strategy.order(invocation)
        job_id = await strategy.execute(order)
        if job_id in self.state:
            return self.job(job_id)
        self.state.add_job(job_id, order.spec.task, mode)
        can_pause = not isinstance(order.work, PlainCall)
        job = CoordinatedJob[Any](job_id, mode, strategy, order.work.result_adapter(), can_pause=can_pause)
        self._open[job_id] = job
        if job_id != order.spec.id:
            await self._note_old_end(job)
        await asyncio.sleep(0)  # who submits very many lets the others go on
        return job

    def job(self, job_id: str) -> CoordinatedJob[Any]:
        """Return the hold on a job of this coordinator. That of a closed job gives its result as JSON would have it.

        Raises:
            JobNotFound: when there is none, or it was closed so long ago that it is forgotten.
        """
        if (job := self._open.get(job_id)) is not None:
            return job
        entry = self.state[job_id]
        job = CoordinatedJob(job_id, entry.mode, self._strategies[entry.mode], None)
        if entry.outcome is not None:
            job.ended.set_result(entry.outcome)
        return job

    async def system_detail(self) -> SystemDetail:
        """Return how all strategies stand now; of one whose broker cannot be reached, that."""
        self._ready()
        details = await asyncio.gather(*(self._detail(mode, strategy) for mode, strategy in self._strategies.items()))
        return SystemDetail(at=datetime.now(UTC), accepting=self._shutting_down is None, strategies=tuple(details))

    async def shutdown(self, grace: timedelta | float = timedelta(0)) -> None:
        """Accept nothing more, let running jobs go on for the grace, cancel the rest, and tell subscribers all of it.

        Called again, it waits for the same end. A strategy that fails skips none of the others.

        Raises:
            ExceptionGroup: with what strategies raised, once all are down.
        """
        if self._shutting_down is None:
            wait = grace if isinstance(grace, timedelta) else timedelta(seconds=grace)
            self._shutting_down = asyncio.create_task(self._shut_down(wait, asyncio.current_task()))
        await asyncio.shield(self._shutting_down)

    async def _shut_down(self, grace: timedelta, asker: "asyncio.Task[Any] | None") -> None:
        if self._publisher is None:
            return
        strategies = self._strategies.values()
        ended = await asyncio.gather(*(strategy.shutdown(grace) for strategy in strategies), return_exceptions=True)
        if self._has_own_publisher:
            await self._publisher.close(_FLUSH_SECONDS, but=asker)
        else:
            await self._publisher.flush(_FLUSH_SECONDS, but=asker)
        for job_id, job in self._open.items():  # of a cluster, where it goes on
            job.ended.set_exception(CoordinatorClosed())
            job.ended.exception()  # nobody may be waiting
            logger.info("not followed any more", extra={"action": "job_left", "job_id": job_id})
        if failures := [error for error in ended if isinstance(error, Exception)]:
            raise ExceptionGroup("not all strategies could be shut down", failures)

    def _strategy(self, mode: str) -> TaskExecutionStrategy:
        if (strategy := self._strategies.get(mode)) is None:
            raise UnknownStrategy(mode, list(self._strategies))
        if self._shutting_down is not None:
            raise CoordinatorClosed
        self._ready()
        if self._loop is not asyncio.get_running_loop():
            raise RuntimeError("this coordinator lives on another event loop; make one within each asyncio.run")
        return strategy

    def _ready(self) -> Publisher:
        """Return the publisher; a coordinator that was not started gets one of its own."""
        return self._publisher or self._begin(Publisher())

    def _begin(self, publisher: Publisher) -> Publisher:
        self._loop = asyncio.get_running_loop()  # without one nothing is begun

        def tell(message: Message) -> None:
            self.handle_item(message)  # before anybody else: whoever hears of an end finds it here
            publisher.publish(message)

        for mode, strategy in self._strategies.items():
            strategy.start(mode, tell)
        self._publisher = publisher
        return publisher

    async def _note_old_end(self, job: CoordinatedJob[Any]) -> None:
        """Take note of the end of an old job that an idempotency key has found: nobody will tell it once more."""
        outcome = (await job.record()).outcome
        if outcome is not None and self.state[job.id].is_open:
            self._end(job.id, outcome)

    def _end(self, job_id: str, outcome: Outcome) -> None:
        self.state.end_job(job_id, outcome)
        self._open.pop(job_id).ended.set_result(outcome)

    async def _detail(self, mode: str, strategy: TaskExecutionStrategy) -> StrategyDetail:
        try:
            return await strategy.detail()
        except Exception as error:  # noqa: BLE001 - a broker that is away must not hide the others
            return StrategyDetail(mode=mode, problem=str(error))
