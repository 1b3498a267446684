"""Executors on an event loop of their own, in another thread; each function in a thread of its own."""

import asyncio
from typing import Any

from ...communicators import Claim, MemoryLedger, OtherLoopLedger, Outcome
from ...config import Settings
from ...tasks import Channel
from ..call_run import CallRun, ThreadCall, interrupt_thread, new_thread
from ..plain_call import PlainCall
from ..supervisor_loop import SupervisorLoop
from ..verdict import Released
from .local_host import Home, LocalHost, Work
from .loop_host import LoopHost

__all__ = ["ThreadHost"]


class ThreadHost(LocalHost):
    """A loop host in a thread: what blocks the caller's event loop holds up no job, and the other way round."""

    def __init__(self, settings: Settings) -> None:
        """Start nothing yet."""
        self._loop = SupervisorLoop()
        self._host = LoopHost(settings, _call_in_thread)

    def check(self, work: Work) -> None:
        """Make sure of the same as the host in the thread."""
        self._host.check(work)

    async def carry_out(self, job_id: str, work: Work, ledger: MemoryLedger) -> Outcome | Released:
        """Claim a job here, where the ledger lives, and carry it out there."""
        held = ledger.claim(job_id, self._host.name)
        there = OtherLoopLedger(ledger, asyncio.get_running_loop())
        attempt = asyncio.wrap_future(self._loop.submit(self._attempt(held, work, there)))
        with ledger.waking(job_id, lambda: self._wake(there, job_id)):
            return await attempt

    @property
    def homes(self) -> tuple[Home, ...]:
        """The thread's."""
        return self._host.homes

    def abandon(self) -> None:
        """Wait for no function any more."""
        self._loop.submit(_call(self._host.abandon))

    async def close(self) -> None:
        """End the host, and the thread."""
        await asyncio.wrap_future(self._loop.submit(self._host.close()))
        self._loop.stop()

    async def _attempt(self, held: Claim, work: Work, ledger: OtherLoopLedger) -> Outcome | Released:
        return await self._host.attempt(held, work, ledger)

    def _wake(self, ledger: OtherLoopLedger, job_id: str) -> None:
        self._loop.submit(_call(ledger.wake, job_id))


def _call_in_thread(call: PlainCall, channel: Channel) -> CallRun:
    return ThreadCall(call, channel, new_thread, interrupt_thread)


async def _call(function: Any, *arguments: Any) -> None:
    function(*arguments)
