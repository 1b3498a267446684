"""The contract of execution strategies: where the jobs of a coordinator are carried out."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from ...communicators import ArtifactStore, Backend, Message
from ..system_detail import StrategyDetail
from .invocation import Invocation
from .order import Order

__all__ = ["TaskExecutionStrategy"]


class TaskExecutionStrategy(ABC):
    """Accepts jobs, bounds how many wait and run, and says through its publisher what becomes of them.

    A strategy belongs to one coordinator and lives on its event loop.
    """

    #: The jobs' ledger; there once the strategy was started.
    backend: Backend
    #: Where what is large travels.
    store: ArtifactStore
    #: From how many bytes on.
    inline_limit: int

    @abstractmethod
    def start(self, mode: str, publish: Callable[[Message], None]) -> None:
        """Begin, on the running event loop; call once.

        Args:
            mode: what the coordinator calls this strategy.
            publish: takes each message of each job; it neither blocks nor raises.
        """

    @abstractmethod
    def order(self, invocation: Invocation[Any]) -> Order:
        """Return what is to be executed. Nothing is recorded yet.

        Raises:
            SubmitError: when it cannot be carried out here.
            TypeError: when it is nothing that can be carried out.
        """

    @abstractmethod
    async def execute(self, order: Order) -> str:
        """Take a job into the queue and return its id, or that of the first job with the order's idempotency key.

        It does not wait for the job, but for a place in the queue if the order's options say so. Between the place and the
        return nothing is awaited, so nobody hears of the job before its id is known.

        Raises:
            QueueFull: when as many jobs wait as may.
            SubmitError: when it cannot be accepted; then nothing is recorded.
        """

    @abstractmethod
    async def detail(self) -> StrategyDetail:
        """Return how things stand."""

    @abstractmethod
    async def shutdown(self, grace: timedelta) -> None:
        """Accept nothing more, let running jobs go on for the grace, cancel the rest, and return when all have ended."""
