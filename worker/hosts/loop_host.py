"""Executors on the running event loop."""

import asyncio
import contextlib
import dataclasses
import functools
import os
import socket
import uuid
from typing import Any

from ...communicators import Claim, Ledger, MemoryLedger, Outcome
from ...config import Settings, runtime_directory
from ...tasklets import Tasklets, load_tasklets
from ...tasks import Catalogue, Channel, Task, TaskDescription
from ..call_executor import CallExecutor
from ..call_run import CallRun, LoopCall, Start, ThreadCall, interrupt_thread, new_thread
from ..executor import Executor
from ..guardian import Guardian
from ..own_site import site_of
from ..plain_call import PlainCall
from ..site import Site
from ..tasklet_site import tell_nobody
from ..verdict import Released
from .local_host import Home, LocalHost, Work
from .shipping import check_place

__all__ = ["LoopHost", "call_on_loop"]

#: How often the guardian is looked after.
_TICK_SECONDS = 1.0
#: How long the end waits for tasklets and notices.
_CLOSE_SECONDS = 8.0


def call_on_loop(call: PlainCall, channel: Channel) -> CallRun:
    """Call a coroutine function on the running loop; a plain function, which would hold it up, in a thread."""
    if call.is_coroutine:
        return LoopCall(call, channel)
    return ThreadCall(call, channel, new_thread, interrupt_thread)


class LoopHost(LocalHost):
    """Executors on the loop that `carry_out` is called on, with all that they share. Programs get a guardian."""

    def __init__(self, settings: Settings, start: Start = call_on_loop, worker_id: str = "") -> None:
        """Start nothing yet.

        Args:
            settings: what the operator decided.
            start: calls functions.
            worker_id: names this host among all that ever were; the value of the worker's cookie. Empty: a new one.
        """
        self._settings = settings
        self._start = start
        self.worker_id = worker_id or uuid.uuid4().hex
        self.name = f"{os.getpid()}@{socket.gethostname()}"
        self._tasklets: Tasklets | None = None
        self._guardian: Guardian | None = None
        self._watching: asyncio.Task[None] | None = None
        self._running = 0
        self._abandoned = asyncio.Event()

    def check(self, work: Work) -> None:
        """Make sure that the process of a first-party task would find it; all else is here already."""
        if not isinstance(work, PlainCall) and issubclass(work, Task):
            check_place(work)

    async def carry_out(self, job_id: str, work: Work, ledger: MemoryLedger) -> Outcome | Released:
        """Claim a job and carry it out."""
        return await self.attempt(ledger.claim(job_id, self.name), work, ledger)

    async def attempt(self, held: Claim, work: Work, ledger: Ledger) -> Outcome | Released:
        """Carry out a job that was claimed."""
        self._running += 1
        try:
            if isinstance(work, PlainCall):
                return await self._call(held, work, ledger)
            return await self._run(held, work, ledger)
        finally:
            self._running -= 1

    @property
    def homes(self) -> tuple[Home, ...]:
        """This process."""
        return (Home(self.name, os.getpid(), self._running),)

    def abandon(self) -> None:
        """Wait for no function any more."""
        self._abandoned.set()

    async def close(self) -> None:
        """End tasklets, and with the guardian whatever else is left."""
        if "site" in vars(self) and self.site.tasklets is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await asyncio.gather(self.site.tasklets.pool.close(), self.site.tasklets.sinks.close())
        if self._watching is not None:
            self._watching.cancel()
        if self._guardian is not None:
            await asyncio.to_thread(self._guardian.close)
            self._guardian = None

    async def _call(self, held: Claim, call: PlainCall, ledger: Ledger) -> Outcome:
        executor = CallExecutor(held, call, ledger, self.site, self._start)
        try:
            return await executor.run()
        finally:
            if executor.running is not None and not executor.running.ended.done():
                await self._linger(executor.running)

    async def _linger(self, running: CallRun) -> None:
        """Keep the slot of a function that goes on although its job has ended."""
        abandoned = asyncio.create_task(self._abandoned.wait())
        try:
            either: set[asyncio.Future[Any]] = {running.ended, abandoned}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            abandoned.cancel()

    async def _run(self, held: Claim, task: type[TaskDescription], ledger: Ledger) -> Outcome | Released:
        site = self.site
        self._be_guarded()
        if site.tasklets and (held.spec.before or held.spec.after):
            if self._tasklets is None:
                self._tasklets = await asyncio.to_thread(load_tasklets, self._settings.tasks)
            site.tasklets.pool.warm()
            site = dataclasses.replace(site, tasklets=dataclasses.replace(site.tasklets, tasklets=self._tasklets))
        return await Executor(held, Catalogue([task]), ledger, site).run()

    def _be_guarded(self) -> None:
        """Have a guardian watch over what carries our cookie, whatever becomes of this process."""
        if self._guardian is None:
            self._guardian = Guardian(self.worker_id, self.site.sockets)
            self._watching = asyncio.create_task(_watch(self._guardian))

    @functools.cached_property
    def site(self) -> Site:
        """What all Executors here share, but for the tasklets: modules are imported for those who have some."""
        sockets = runtime_directory(self._settings.project) / self.worker_id[:12]
        return site_of(self._settings, self.worker_id, sockets, Tasklets(()), tell_nobody, None)


async def _watch(guardian: Guardian) -> None:
    while True:
        await asyncio.sleep(_TICK_SECONDS)
        guardian.watch()
