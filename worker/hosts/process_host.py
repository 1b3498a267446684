"""Executors in processes of their own, one job at a time in each; what crashes there concerns that job alone."""

import asyncio
import contextlib
import socket

from ...communicators import Claim, FailureReason, JobState, MemoryLedger, Outcome, Provenance
from ...config import Settings
from ...config.errors import LedgerError
from ..plain_call import PlainCall
from ..verdict import Released, failed, next_attempt
from .backstop import Backstop
from .child_process import ChildLost, ChildProcess
from .fork_server import ForkServer
from .local_host import Home, LocalHost, Work
from .shipping import shipped

__all__ = ["ProcessHost"]

#: How long a job waits for a process to become free before another is started.
_PATIENCE_SECONDS = 0.005


class ProcessHost(LocalHost):
    """Keeps processes warm: one that is free is used again, and another is started when none is."""

    def __init__(self, settings: Settings) -> None:
        """Start nothing yet."""
        self._settings = settings
        self._server = ForkServer()
        #: Those that were used last are used first.
        self._free: asyncio.LifoQueue[ChildProcess] = asyncio.LifoQueue()
        self._busy: set[ChildProcess] = set()
        self._all: set[ChildProcess] = set()

    def check(self, work: Work) -> None:
        """Make sure that work can be brought to another process."""
        shipped(work)

    async def carry_out(self, job_id: str, work: Work, ledger: MemoryLedger) -> Outcome | Released:
        """Claim a job here, where the ledger lives, and have it carried out there."""
        child = await self._child()
        self._busy.add(child)
        try:
            if not child.is_usable:
                await child.start()
            held = ledger.claim(job_id, _name(child))
        except ChildLost as lost:
            ledger.close_unclaimed(job_id, outcome := failed(FailureReason.ENVIRONMENT, f"{lost} at its start"))
            return outcome
        else:
            return await self._carry_out_in(child, held, work, ledger)
        finally:
            self._busy.discard(child)
            await self._put_back(child)

    @property
    def homes(self) -> tuple[Home, ...]:
        """The processes that there are."""
        return tuple(
            Home(_name(child), child.pid, int(child in self._busy), 1, round(child.heartbeat_age_seconds, 3))
            for child in sorted(self._all, key=lambda child: child.pid)
            if child.is_usable or child in self._busy
        )

    def abandon(self) -> None:
        """None is waited for: a function that goes on is ended with its process."""

    async def close(self) -> None:
        """End all processes."""
        for child in self._busy:
            child.kill()
        await asyncio.gather(*(child.end() for child in self._all))
        await self._server.close()

    async def _child(self) -> ChildProcess:
        """Return a process that is free, or will be in a moment, or a new one."""
        with contextlib.suppress(TimeoutError):
            while self._free.qsize() or self._busy:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    child = await self._free.get()
                if child.is_usable:
                    return child
                await self._put_back(child)  # it was killed meanwhile
        child = ChildProcess(self._settings, self._server)
        self._all.add(child)
        return child

    async def _put_back(self, child: ChildProcess) -> None:
        if child.is_usable:
            self._free.put_nowait(child)
        else:
            await child.end()
            self._all.discard(child)

    async def _carry_out_in(
        self, child: ChildProcess, held: Claim, work: Work, ledger: MemoryLedger
    ) -> Outcome | Released:
        try:
            return await self._attempt(child, held, work, ledger)
        except ChildLost as lost:
            return await self._bury(held, work, ledger, lost)

    async def _attempt(self, child: ChildProcess, held: Claim, work: Work, ledger: MemoryLedger) -> Outcome | Released:
        if not isinstance(work, PlainCall):
            return await child.attempt(held, shipped(work), ledger)
        with Backstop(child, held, ledger, self._settings) as backstop:
            try:
                return await child.attempt(held, shipped(work), ledger)
            except ChildLost:
                if backstop.stop is None:
                    raise
                error = f"{held.spec.task} {backstop.stop.error}, and its process was killed"
                return await _closed(ledger, held, Outcome(state=backstop.stop.state, error=error))

    async def _bury(self, held: Claim, work: Work, ledger: MemoryLedger, lost: ChildLost) -> Outcome | Released:
        """End the attempt of a process that is gone: a function has failed; a program may be run again."""
        if isinstance(work, PlainCall):
            reason = FailureReason.SIGNAL if lost.ended.signal else FailureReason.EXIT_CODE
            outcome = failed(reason, str(lost)).model_copy(update={"exit": lost.ended})
            return await _closed(ledger, held, outcome)
        losses = 1 + sum(facts.state is JobState.LOST for facts in held.attempts.values())
        if losses >= self._settings.crash_limit:
            return await _closed(ledger, held, failed(FailureReason.CRASH_LIMIT, f"{lost}, {losses} times"))
        handed_back = Outcome(state=JobState.QUEUED, error=str(lost))
        end = next_attempt(handed_back, held.attempt, held.worker, held.spec.retry)
        if isinstance(end, Outcome):
            return await _closed(ledger, held, end)
        await ledger.release(held, end.attempt, end.note, end.delay)
        return end


def _name(child: ChildProcess) -> str:
    return f"{child.pid}@{socket.gethostname()}"


async def _closed(ledger: MemoryLedger, held: Claim, outcome: Outcome) -> Outcome:
    """Close a job, unless it is closed already: the process may have told us so before it went."""
    try:
        await ledger.close(held, outcome, Provenance())
    except LedgerError:
        return ledger.record(held.spec.id).outcome or outcome
    return outcome
