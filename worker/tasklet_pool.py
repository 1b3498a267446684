"""Runs tasklets in processes of their own: what one does to its process, or to itself, is no concern of the worker's."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import Any

from .runner_connection import RunnerLost
from .sweeper import Sweeper
from .tasklet_call import TaskletAnswer, TaskletEnd, TaskletRequest
from .tasklet_process import RunnerSite, TaskletProcess
from .tasklet_seat import TaskletSeat

__all__ = ["TaskletPool"]

logger = logging.getLogger(__name__)


class TaskletPool:
    """A few warm processes, each of which forks one process for each call. Make it on the loop that uses it."""

    def __init__(
        self,
        modules: Sequence[str],
        environment: Mapping[str, str],
        worker_id: str,
        sweeper: Sweeper,
        *,
        size: int = 2,
        idle: timedelta = timedelta(minutes=5),
    ) -> None:
        """Start nothing yet.

        Args:
            modules: what holds tasklets beside the built-in ones.
            environment: the variables that every tasklet gets.
            worker_id: the value of the worker's cookie.
            sweeper: kills by that cookie.
            size: how many tasklets may run at once; others wait for their turn.
            idle: after what time without a call a process ends.
        """
        self._site = RunnerSite(modules, environment, worker_id, sweeper)
        self._idle = idle.total_seconds()
        #: Those that were used last are taken first, so that others become idle.
        self._seats: asyncio.LifoQueue[TaskletSeat] = asyncio.LifoQueue()
        self._all = [TaskletSeat() for _ in range(size)]
        for seat in self._all:
            self._seats.put_nowait(seat)
        self._background: set[asyncio.Task[None]] = set()
        self._warming: asyncio.Task[None] | None = None
        self._closed = False

    async def run(self, request: TaskletRequest, begun: Callable[[int, str], object] | None = None) -> TaskletAnswer:
        """Call a tasklet and return what came of it. Nothing of the call is left then, not even when this was cancelled.

        The time limit does not count what it waits for its turn.

        Args:
            request: what to call.
            begun: told, once it is the call's turn, the id and the cookie of the process that it is forked from.
        """
        if self._warming is not None:
            await asyncio.wait([self._warming])
        for last in (False, True):
            try:
                return await self._run(request, begun)
            except RunnerLost as lost:
                error = f"the process that runs tasklets {lost.why}"
                logger.warning(error, extra={"action": "tasklet_runner_lost"})
                if lost.begun or last:
                    return TaskletAnswer(ended=TaskletEnd.CRASHED, error=error)
        raise AssertionError

    def warm(self) -> None:
        """Have a process ready soon, if none is: the next call is not to wait for its start."""
        if not self._closed and not self._seats.empty() and not any(seat.is_warm for seat in self._all):
            self._warming = self._spawn(self._refill(self._seats.get_nowait()))

    async def close(self) -> None:
        """End all processes, and what they run."""
        self._closed = True
        for seat in self._all:
            self._end(seat.close())
        while self._background:
            await asyncio.wait(self._background)

    async def _run(self, request: TaskletRequest, begun: Callable[[int, str], object] | None) -> TaskletAnswer:
        seat = await self._seats.get()
        try:
            runner = await seat.warm(self._site)
        except BaseException:
            self._put_back(seat)
            raise
        if begun and runner.pid:
            begun(runner.pid, runner.cookie)
        try:
            answer = await runner.ask(request)
        except BaseException as error:
            stopping = self._spawn(runner.stop())
            stopping.add_done_callback(lambda _: self._spawn(self._refill(seat)))
            await asyncio.shield(stopping)
            runner.explain(error)
            raise
        self._put_back(seat)
        return answer

    async def _refill(self, seat: TaskletSeat) -> None:
        with contextlib.suppress(RunnerLost):  # the next call tries again, and tells
            await seat.warm(self._site)
        self._put_back(seat)

    def _put_back(self, seat: TaskletSeat) -> None:
        if not self._closed:
            seat.leave_after(self._idle, self._retire)
        self._seats.put_nowait(seat)

    def _retire(self, seat: TaskletSeat) -> None:
        self._end(seat.vacate())

    def _end(self, runner: TaskletProcess | None) -> None:
        if runner is not None:
            self._spawn(runner.end())

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(coroutine)
        self._background.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("cannot tend the process that runs tasklets", exc_info=error)
