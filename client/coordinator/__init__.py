"""One job in a notebook, a test, a thread, a process or on the cluster, by changing one word."""

from .celery_strategy import CeleryExecutionStrategy
from .coordinated_job import CoordinatedJob
from .coordinator import Coordinator
from .invocation import Invocation
from .local_strategies import (
    LOCAL_STRATEGIES,
    AsyncioExecutionStrategy,
    ProcessExecutionStrategy,
    ThreadedExecutionStrategy,
)
from .order import Order
from .state import CoordinatorState, JobEntry
from .strategy import TaskExecutionStrategy

__all__ = [
    "LOCAL_STRATEGIES",
    "AsyncioExecutionStrategy",
    "CeleryExecutionStrategy",
    "CoordinatedJob",
    "Coordinator",
    "CoordinatorState",
    "Invocation",
    "JobEntry",
    "Order",
    "ProcessExecutionStrategy",
    "TaskExecutionStrategy",
    "ThreadedExecutionStrategy",
]
