"""A driver's session from nothing: a strategy, a coordinator around it, and then the lines."""

from ...config import Settings
from ...config.errors import OutriderError
from ..coordinator import LOCAL_STRATEGIES, CeleryExecutionStrategy, Coordinator, TaskExecutionStrategy
from .driver import DriveOptions, Driver
from .line_writer import LineWriter
from .pipes import Pipes
from .raw_lines import LineReader

__all__ = ["STRATEGIES", "serve"]

#: What a session can be asked for.
STRATEGIES = (*LOCAL_STRATEGIES, "celery")


async def serve(pipes: Pipes, mode: str, settings: Settings, options: DriveOptions) -> bool:
    """Serve a driver, and return whether every job has ended and the driver was told all of it.

    Args:
        pipes: where the lines come from, and where they go.
        mode: one of `STRATEGIES`.
        settings: with the bounds on jobs that wait and run.
        options: what else the command line decides.

    Raises:
        OutriderError: when the strategy cannot be used now; no line was written.
    """
    coordinator = Coordinator({mode: _strategy(mode, settings)})
    (detail,) = (await coordinator.system_detail()).strategies
    if detail.problem:
        await coordinator.shutdown()
        raise OutriderError(detail.problem)
    driver = Driver(coordinator, mode, LineWriter(pipes.answers), options)
    return await driver.serve(LineReader(pipes.requests).lines())


def _strategy(mode: str, settings: Settings) -> TaskExecutionStrategy:
    if mode == "celery":
        return CeleryExecutionStrategy(settings=settings)
    return LOCAL_STRATEGIES[mode](settings=settings)
