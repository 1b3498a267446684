"""The strategies without a broker: they differ in where an Executor lives, and in nothing else."""

from collections.abc import Callable, Mapping

from ...config import Settings, load_settings
from ...worker import LoopHost, ProcessHost, ThreadHost
from .local_strategy import LocalStrategy

__all__ = ["LOCAL_STRATEGIES", "AsyncioExecutionStrategy", "ProcessExecutionStrategy", "ThreadedExecutionStrategy"]


class AsyncioExecutionStrategy(LocalStrategy):
    """Executors are coroutines of the coordinator's own event loop; coroutine functions run there as well.

    A plain function gets a thread, so that the loop goes on. The least per job; but a coroutine that computes, or blocks,
    holds up everything.
    """

    def __init__(
        self, *, concurrency: int | None = None, max_queued: int | None = None, settings: Settings | None = None
    ) -> None:
        """Prepare a strategy with so many slots, and a queue for so many (0: any number; `None`: what the settings say)."""
        settings = settings or load_settings()
        super().__init__(LoopHost(settings), settings, concurrency, max_queued)


class ThreadedExecutionStrategy(LocalStrategy):
    """Executors live on an event loop in a thread of their own, and each function in another.

    What blocks the coordinator's loop holds up no job, and a function that blocks holds up no other.
    """

    def __init__(
        self, *, concurrency: int | None = None, max_queued: int | None = None, settings: Settings | None = None
    ) -> None:
        """Prepare a strategy with so many slots, and a queue for so many (0: any number; `None`: what the settings say)."""
        settings = settings or load_settings()
        super().__init__(ThreadHost(settings), settings, concurrency, max_queued)


class ProcessExecutionStrategy(LocalStrategy):
    """Each Executor lives in a process of its own, one job at a time, with its function if it has one.

    What crashes there, leaks or does not end is ended with its process, and concerns no other job; many jobs use many
    processors. Functions, and what they hold, are pickled (by cloudpickle: what was typed in can be sent, too).
    """

    def __init__(
        self, *, concurrency: int | None = None, max_queued: int | None = None, settings: Settings | None = None
    ) -> None:
        """Prepare a strategy with so many slots, and a queue for so many (0: any number; `None`: what the settings say)."""
        settings = settings or load_settings()
        super().__init__(ProcessHost(settings), settings, concurrency, max_queued)


#: By the names that the command line has for them.
LOCAL_STRATEGIES: Mapping[str, Callable[..., LocalStrategy]] = {
    "asyncio": AsyncioExecutionStrategy,
    "thread": ThreadedExecutionStrategy,
    "process": ProcessExecutionStrategy,
}
