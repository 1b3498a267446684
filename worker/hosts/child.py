"""A process that carries out jobs for a `ProcessHost`, forked for it.

The Executor lives on an event loop in a thread; functions are called in the main thread, where a signal reaches them also
while they wait. The ledger is the parent's. When the line to it closes, this process ends.
"""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from ...communicators import Claim, Ledger, Outcome, Provenance
from ...config import Settings
from ...config.errors import LedgerError
from ...tasks import Cancelled, Channel
from ..call_run import CallRun, ThreadCall
from ..error_text import error_text
from ..plain_call import PlainCall
from ..supervisor_loop import SupervisorLoop
from ..sweep import ATTEMPT_COOKIE, WORKER_COOKIE
from ..verdict import Released, failed
from .frames import FrameLink
from .loop_host import LoopHost
from .own_forks import children, kill_children_but
from .parent_ledger import ParentLedger
from .shipping import unshipped

__all__ = ["serve"]


def serve(connection: socket.socket) -> None:
    """Carry out what the parent sends, one job at a time, until it is gone. Blocks; for the main thread."""
    main_thread = MainThread()
    serving = SupervisorLoop().submit(_serve(connection, main_thread))
    serving.add_done_callback(lambda _: main_thread.end())
    main_thread.run()
    serving.result()


class MainThread:
    """Calls functions in the main thread, and interrupts them there."""

    def __init__(self) -> None:
        """Wait to be told what to call."""
        self._wanted: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._call: ThreadCall | None = None

    def start(self, call: PlainCall, channel: Channel) -> CallRun:
        """Call a function soon."""
        self._call = ThreadCall(call, channel, self._wanted.put, self._interrupt)
        return self._call

    def run(self) -> None:
        """Call what is to be called, until the end."""
        while (wanted := self._wanted.get()) is not None:
            signal.signal(signal.SIGTERM, self._at_term)  # each time: functions may do anything to their process
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            wanted()

    def end(self) -> None:
        """Call nothing more; a function that goes on ends with the process, now."""
        if self._call is not None and self._call.is_in_function:
            os._exit(1)
        self._wanted.put(None)

    def _interrupt(self, thread: int) -> None:
        signal.pthread_kill(thread, signal.SIGTERM)

    def _at_term(self, *_: Any) -> None:
        if (
            threading.current_thread() is threading.main_thread()
            and self._call is not None
            and self._call.is_in_function
        ):
            raise Cancelled("the job was cancelled or ran into a limit")


class ChildHost(LoopHost):
    """Executors of a process that has one job at a time: what a function starts is known by cookies, and ends with it."""

    #: Whether a function goes on although its job has ended: only the end of the process ends it.
    lingers = False

    async def _call(self, held: Claim, call: PlainCall, ledger: Ledger) -> Outcome:
        os.environ[ATTEMPT_COOKIE], os.environ[WORKER_COOKIE] = held.cookie, self.worker_id
        self._be_guarded()
        before = children()
        outcome = await super()._call(held, call, ledger)
        if children() - before:
            await asyncio.to_thread(kill_children_but, before)
        if outcome.state in ("cancelled", "timed_out"):
            await self.site.sweeper.sweep(held.cookie)
        else:
            self.site.sweeper.sweep_later(held.cookie)
        return outcome

    async def _linger(self, running: CallRun) -> None:  # noqa: ARG002 - the end of this process is its end
        self.lingers = True


async def _serve(connection: socket.socket, main_thread: MainThread) -> None:
    link = FrameLink(*await asyncio.open_connection(sock=connection))
    settings, worker_id = await _begin(link)
    host, ledger = ChildHost(settings, main_thread.start, worker_id), ParentLedger(link)
    beating = asyncio.create_task(_beat(link, settings.heartbeat_interval.total_seconds()))
    attempts: set[asyncio.Task[None]] = set()
    while (words := await link.receive()) is not None:
        match words:
            case ("attempt", held, packed):
                attempts.add(attempt := asyncio.create_task(_attempt(link, host, ledger, held, packed)))
                attempt.add_done_callback(attempts.discard)
            case ("answer", number, answer, error):
                ledger.answered(number, answer, error)
            case ("wake", job_id):
                ledger.wake(job_id)
    for task in (beating, *attempts):
        task.cancel()
    await host.close()


async def _begin(link: FrameLink) -> tuple[Settings, str]:
    """Take the parent's settings and our worker id from it, and find the modules that it finds."""
    words = await link.receive()
    if words is None:
        raise SystemExit(0)
    _, settings, worker_id, folders = words
    sys.path[:] = folders
    link.send("ready")
    return settings, worker_id


async def _attempt(link: FrameLink, host: ChildHost, ledger: ParentLedger, held: Claim, packed: bytes) -> None:
    """Carry out one attempt, and say what came of it."""
    end: Outcome | Released | LedgerError
    try:
        try:
            work = await asyncio.to_thread(unshipped, packed)
        except Exception as error:  # noqa: BLE001 - importing and unpickling run the modules' own code
            end = failed("environment", f"it cannot be loaded in a process of its own: {error_text(error)}")
            await ledger.close(held, end, Provenance())
        else:
            end = await host.attempt(held, work, ledger)
    except LedgerError as error:
        end = error
    link.send("ended", end, host.lingers)


async def _beat(link: FrameLink, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        link.send("beat")
