"""What rides beside a plain function: an Executor without a program.

It keeps the same promises as far as a function lets it: one end, progress, reports, messages, cancel and a time limit. A
function in a thread of ours cannot be killed. One that does not end within the grace is given up: its job is closed, and
its slot is taken until it ends.
"""

import asyncio
import logging
import os
import socket
import traceback
from pathlib import Path
from typing import Any

from ..communicators import (
    Cancel,
    Claim,
    FailureReason,
    Heartbeat,
    JobState,
    Ledger,
    LedgerCommunicator,
    Outcome,
    Provenance,
    RunFacts,
    UserMessage,
)
from ..config.errors import LedgerError, OutriderError
from .call_line import CallLine
from .call_run import CallEnd, CallRun, Start
from .error_text import error_text
from .job_directory import JobDirectory
from .keeper import Keeper
from .plain_call import PlainCall
from .relay import Relay
from .result import Making, with_value
from .site import Site
from .verdict import Stop, failed, shortened

__all__ = ["CallExecutor"]

logger = logging.getLogger(__name__)

#: Lines of a traceback that are kept.
_TRACEBACK_LINES = 20
#: What needs no thread to be made a result.
_SCALARS = (str, int, float, bool, type(None))


class CallExecutor:
    """Carries out one attempt of one job whose work is a function."""

    def __init__(self, held: Claim, call: PlainCall, ledger: Ledger, site: Site, start: Start) -> None:
        """Prepare to call the function, by `start`, for the attempt that `held` names."""
        self._held = held
        self._call = call
        self._ledger = ledger
        self._site = site
        self._start = start
        self._facts = {"job_id": held.spec.id, "attempt": held.attempt}
        self._directory = JobDirectory(site.jobs_directory, held)
        self._keeper = Keeper(site, self._directory)
        self._upward = LedgerCommunicator(held, ledger)
        self._relay = Relay(self._upward, self._keeper, self._facts)
        self._line = CallLine(self._directory.copies)
        self._stop: asyncio.Future[Stop] = asyncio.get_running_loop().create_future()
        self._begun = 0.0
        #: The call, once it was made; it may go on when the job has ended.
        self.running: CallRun | None = None

    async def run(self) -> Outcome:
        """Carry out the attempt, close the job, and return how it ended.

        Raises:
            LedgerError: when another attempt owns the job now.
        """
        await self._upward.open()
        try:
            outcome = await self._outcome()
        finally:
            await self._upward.close()
        await self._ledger.close(self._held, outcome, Provenance())
        logger.info("%s %s", self._held.spec.task, outcome.state, extra={"action": "job_ended", **self._facts})
        return outcome

    async def _outcome(self) -> Outcome:
        try:
            return await self._carry_out()
        except LedgerError:
            raise
        except Exception as error:  # whatever went wrong, the job gets an end
            logger.exception("the Executor failed", extra={"action": "executor_failed", **self._facts})
            return failed(FailureReason.INTERNAL, f"{error_text(error)} (the log has the traceback)")

    async def _carry_out(self) -> Outcome:
        run = RunFacts(host=socket.gethostname(), pid=os.getpid(), argv=(), directory=Path.cwd())
        self._upward.notice(await self._ledger.start(self._held, run))
        self._begun = asyncio.get_running_loop().time()
        self.running = self._start(self._call, self._line.channel)
        relaying = asyncio.create_task(self._relay.run(self._line))
        helpers = [asyncio.create_task(self._obey()), asyncio.create_task(self._heartbeats())]
        try:
            stop = await self._ended_or_stopped(self.running)
        finally:
            for helper in helpers:
                helper.cancel()
            self.running.interrupt()  # if it goes on
            if self._stop.done():
                self._stop.exception()  # whoever cares has seen it
            if self.running.ended.done():
                await self._line.close()
            else:
                self._line.abandon()
            await relaying
        outcome = await self._verdict(self.running, stop)
        return outcome.model_copy(update={"artifacts": self._relay.artifacts})

    async def _ended_or_stopped(self, running: CallRun) -> Stop | None:
        """Wait for the function's end, or until it is to end and has been given its grace."""
        limit = self._held.spec.limits.run
        either: set[asyncio.Future[Any]] = {running.ended, self._stop}
        timeout = limit.total_seconds() if limit else None
        await asyncio.wait(either, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if running.ended.done():
            return None
        if not self._stop.done() and limit:
            self._stop.set_result(Stop(JobState.TIMED_OUT, f"ran longer than its limit of {limit.total_seconds():g} s"))
        stop = self._stop.result()
        if stop.state is JobState.CANCELLED:
            await self._ledger.cancelling(self._held)
        running.interrupt()
        await asyncio.wait({running.ended}, timeout=self._site.grace.total_seconds())
        return stop

    async def _verdict(self, running: CallRun, stop: Stop | None) -> Outcome:
        name = self._held.spec.task
        if stop is not None:
            lingers = "" if running.ended.done() else "; it did not end in time and takes its slot until it does"
            return Outcome(state=stop.state, reason=stop.reason, error=f"{name} {stop.error}{lingers}")
        end = CallEnd(error=asyncio.CancelledError()) if running.ended.cancelled() else running.ended.result()
        if end.error is not None:
            told = shortened(f"{name} raised {error_text(end.error)}")
            return Outcome(
                state=JobState.FAILED, reason=FailureReason.EXCEPTION, error=told, stderr_tail=_traceback(end.error)
            )
        return await self._with_value(end.value)

    async def _with_value(self, value: Any) -> Outcome:
        outcome = Outcome(state=JobState.SUCCEEDED)
        name = self._held.spec.task
        making = Making(
            self._call.result_adapter(), lambda: value, f"the type of {name}'s result", f"{name} ended well"
        )
        words = (outcome, making, self._site, self._directory.artifacts)
        if isinstance(value, _SCALARS):
            return with_value(*words)
        return await asyncio.to_thread(with_value, *words)

    async def _obey(self) -> None:
        while True:
            try:
                message = await self._upward.read()
            except LedgerError as error:
                if not self._stop.done():
                    self._stop.set_exception(error)
                return
            match message:
                case Cancel() if not self._stop.done():
                    self._stop.set_result(Stop(JobState.CANCELLED, "was cancelled"))
                case UserMessage():
                    await self._deliver(message)

    async def _deliver(self, message: UserMessage) -> None:
        try:
            value = await asyncio.to_thread(self._keeper.unpack, message.value)
        except OutriderError as error:
            logger.warning("a message cannot be unpacked: %s", error, extra={"action": "not_unpacked", **self._facts})
        else:
            await self._line.write(message.model_copy(update={"value": value}))

    async def _heartbeats(self) -> None:
        """Show signs of life; memory and processor time are those of this whole process, and so nobody's."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._site.heartbeat_interval.total_seconds())
            elapsed = round(loop.time() - self._begun, 3)
            await self._upward.write(
                Heartbeat(pid=os.getpid(), elapsed_seconds=elapsed, rss=0, cpu_seconds=0.0, source="executor")
            )


def _traceback(error: BaseException) -> tuple[str, ...]:
    """Return the last lines of a traceback, as standard error would have shown them."""
    try:
        lines = "".join(traceback.format_exception(error)).encode("utf-8", "replace").decode().splitlines()
    except Exception:  # noqa: BLE001 - `__str__` may be anybody's
        return ()
    return tuple(lines[-_TRACEBACK_LINES:])
