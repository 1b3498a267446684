"""One session with a driver: from `ready` to `closed`."""

import asyncio
import contextlib
import logging
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from typing import Any, Literal

from ...config.errors import OutriderError
from ..coordinator import Coordinator
from .desk import Desk
from .line_writer import LineWriter
from .protocol import ClosedLine, ReadyLine, Ref, ShutdownRequest
from .raw_lines import RawLine
from .reporter import Reporter

__all__ = ["DriveOptions", "Driver"]

logger = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: How long the last lines may take after a signal.
_LAST_SECONDS = 10.0


@dataclass(frozen=True)
class DriveOptions:
    """What the command line decides."""

    #: How often a running job's status is told.
    status_interval: timedelta
    #: How long running jobs may go on after a signal.
    grace: timedelta = timedelta(0)
    #: Whether to pass on what programs print.
    logs: bool = False


@dataclass(frozen=True)
class _End:
    """Why a session ends, and how long running jobs may go on."""

    reason: Literal["end_of_input", "shutdown", "signal", "output_closed", "defect"]
    grace: timedelta = timedelta(0)
    ref: Ref = None


class Driver:
    """Serves one driver over a coordinator; it ends with the input, a `shutdown`, a signal, or the output."""

    def __init__(self, coordinator: Coordinator, mode: str, writer: LineWriter, options: DriveOptions) -> None:
        """Prepare, on the running event loop.

        Args:
            coordinator: one without jobs.
            mode: the strategy that all jobs are submitted to.
            writer: takes the lines.
            options: what the command line decides.
        """
        self._coordinator = coordinator
        self._mode = mode
        self._writer = writer
        self._options = options
        self._reporter = Reporter(writer, logs=options.logs)
        self._desk = Desk(coordinator, mode, self._reporter, writer, self._shut_down)
        self._ending: asyncio.Future[_End] = asyncio.get_running_loop().create_future()
        #: Is set when the end is asked for once more: nothing is waited for any longer.
        self._hurry = asyncio.Event()

    async def serve(self, lines: AsyncIterator[RawLine]) -> bool:
        """Serve until the end, and return whether it was a good one: every job has ended, and the driver was told all."""
        self._coordinator.publisher.subscribe(self._reporter.note)
        interval = self._options.status_interval
        self._writer.answer(self._ready())
        duties = (self._desk.serve_submits(), self._reporter.report(interval), self._mind_output(), self._mind_hurry())
        with self._minding_signals(), self._doing(*duties):
            with self._doing(self._read(lines)):
                end = await self._ending
                is_good = await self._end_jobs(end)
            await self._desk.all_answered()
            return await self._say_good_bye(end) and is_good

    def _ready(self) -> ReadyLine:
        interval = self._options.status_interval.total_seconds()
        return ReadyLine(version=version("outrider"), pid=os.getpid(), strategy=self._mode, status_interval=interval)

    async def _read(self, lines: AsyncIterator[RawLine]) -> None:
        """Take requests until there are no more; then the session ends with the last job."""
        async for line in lines:
            await self._desk.take(line)
        await self._desk.all_answered()
        await self._reporter.all_ended()
        if not self._ending.done():
            self._end(_End("end_of_input"))

    async def _mind_output(self) -> None:
        await self._writer.broken.wait()
        self._end(_End("output_closed"))

    async def _mind_hurry(self) -> None:
        await self._hurry.wait()
        for job in self._reporter.open_jobs:
            with contextlib.suppress(OutriderError):  # it has just ended
                await self._coordinator.job(job.id).cancel()

    def _end(self, end: _End) -> None:
        """Begin the end; if it has begun, wait for nothing any longer."""
        if self._ending.done():
            self._hurry.set()
        else:
            self._ending.set_result(end)

    def _shut_down(self, request: ShutdownRequest) -> None:
        self._end(_End("shutdown", timedelta(seconds=request.grace), request.ref))

    async def _end_jobs(self, end: _End) -> bool:
        try:
            await self._coordinator.shutdown(end.grace)
        except Exception:
            logger.exception("jobs could not be ended", extra={"action": "shutdown_failed"})
            return False
        return end.reason != "defect"

    async def _say_good_bye(self, end: _End) -> bool:
        """Say the last lines, and return whether the driver has got them and no job is left."""
        left = self._reporter.open_jobs
        self._reporter.leave()
        jobs = self._reporter.ends + Counter(job.state for job in left)
        self._writer.answer(ClosedLine(ref=end.ref, reason=end.reason, jobs=jobs, dropped=self._writer.dropped))
        self._hurry.clear()
        flushing, hurrying = asyncio.create_task(self._writer.flush()), asyncio.create_task(self._hurry.wait())
        patience = _LAST_SECONDS if end.reason == "signal" else None
        await asyncio.wait({flushing, hurrying}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        hurrying.cancel()
        self._writer.close()
        return flushing.done() and not self._writer.broken.is_set() and not left

    @contextlib.contextmanager
    def _minding_signals(self) -> Iterator[None]:
        """Have signals end the session, but those that whoever started us wants to be ignored."""
        loop = asyncio.get_running_loop()
        minded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        for number in minded:
            loop.add_signal_handler(number, self._end, _End("signal", self._options.grace))
        try:
            yield
        finally:
            for number in minded:
                loop.remove_signal_handler(number)

    @contextlib.contextmanager
    def _doing(self, *duties: Coroutine[Any, Any, None]) -> Iterator[None]:
        """Do things until the block is left; one that fails ends the session."""
        tasks = [asyncio.create_task(duty) for duty in duties]
        for task in tasks:
            task.add_done_callback(self._note_end)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

    def _note_end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a session failed", exc_info=error, extra={"action": "session_failed"})
            self._end(_End("defect"))
