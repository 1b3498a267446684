"""The place of one runner in a pool: taken by a call or free, with a warm process or without."""

import asyncio
from collections.abc import Callable

from .runner_connection import RunnerLost
from .tasklet_process import RunnerSite, TaskletProcess

__all__ = ["TaskletSeat"]


class TaskletSeat:
    """Holds at most one runner. Whoever takes the seat has it alone."""

    def __init__(self) -> None:
        self._runner: TaskletProcess | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def is_warm(self) -> bool:
        """Whether there is a runner that can be asked."""
        return self._runner is not None and self._runner.is_open

    async def warm(self, site: RunnerSite) -> TaskletProcess:
        """Return a runner that can be asked, started if need be.

        Raises:
            RunnerLost: when it cannot be started.
        """
        self.stay()
        if self._runner is not None and self._runner.is_open:
            return self._runner
        if (old := self.vacate()) is not None:
            await old.end()
        if self._closed:
            raise RunnerLost("ends with its worker")
        runner = self._runner = TaskletProcess(site)
        try:
            await runner.start()
        except BaseException as error:
            await asyncio.shield(asyncio.ensure_future(runner.end()))
            runner.explain(error)
            raise
        return runner

    def leave_after(self, seconds: float, leave: Callable[["TaskletSeat"], object]) -> None:
        """Call `leave` unless somebody takes the seat within some seconds."""
        self.stay()
        self._timer = asyncio.get_running_loop().call_later(seconds, leave, self)

    def stay(self) -> None:
        """Forget `leave_after`."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> TaskletProcess | None:
        """Give up the runner as `vacate` does, and never have another one."""
        self._closed = True
        return self.vacate()

    def vacate(self) -> TaskletProcess | None:
        """Give up the runner, if there is one; whoever takes it ends it."""
        self.stay()
        runner, self._runner = self._runner, None
        return runner
