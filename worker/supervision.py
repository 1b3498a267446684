"""A running program and those who speak for it: to the ledger, to its watchers, and to it."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ..communicators import (
    Cancel,
    Claim,
    Exit,
    FailureReason,
    Heartbeat,
    JobState,
    Ledger,
    LedgerCommunicator,
    Pause,
    Resume,
    RunFacts,
    UserMessage,
)
from ..config.errors import LedgerError
from .launch import Launch
from .listening import Listening
from .program import Program
from .relay import Relay
from .site import Site
from .verdict import Stop

__all__ = ["Supervision"]

#: How long the pipes of an ended program may be held open by somebody who fled from its group.
_DRAIN_SECONDS = 1.0
#: How often limits are looked at.
_LOOK_SECONDS = 0.2


class Supervision:
    """Waits for a program's end while helpers announce it, relay what it prints, show signs of life and obey wishes.

    If one of them must stop, so must the program. Nothing of the program is left when `run` returns.
    """

    def __init__(
        self,
        held: Claim,
        ledger: Ledger,
        upward: LedgerCommunicator,
        listening: Listening,
        relay: Relay,
        site: Site,
    ) -> None:
        """Prepare to supervise the program of one attempt."""
        self._held = held
        self._ledger = ledger
        self._upward = upward
        self._listening = listening
        self._relay = relay
        self._site = site
        self._peak_rss = 0
        self._program: Program | None = None
        self._announced = asyncio.Event()
        #: What the ledger was told: what runs, when it started by our clock, and its last sign of life.
        self.run_facts: RunFacts | None = None
        self.started_at: datetime | None = None
        self.heartbeat: Heartbeat | None = None
        #: Why we stopped the program, if we did.
        self.stop: Stop | None = None

    async def run(self, program: Program, launch: Launch, parameters: dict[str, Any] | None = None) -> Exit:
        """Return how the program ended, once it has; `parameters` are those that tasklets have changed.

        Raises:
            LedgerError: when another attempt owns the job now; the program is killed.
        """
        self._program = program
        if self.stop:  # asked to stop before there was anything to be stopped
            program.kill()
        try:
            with _first_of_group():
                async with asyncio.TaskGroup() as helpers:
                    announcing = helpers.create_task(self._announce(program, launch, parameters))
                    for communicator in self._listening.all:
                        helpers.create_task(self._relay.run(communicator))
                    living = [helpers.create_task(self._heartbeats(program)), helpers.create_task(self._obey(program))]
                    if self._has_limits():
                        living.append(helpers.create_task(self._enforce_limits(program)))
                    ended = await program.wait()
                    await announcing
                    await self._finish_listening()
                    for helper in living:
                        helper.cancel()
        finally:
            program.kill()
            if self.stop or not program.has_ended:
                await self._site.sweeper.sweep(self._held.cookie)
            else:
                self._site.sweeper.sweep_later(self._held.cookie)
        return ended.model_copy(update={"peak_rss": max(ended.peak_rss, self._peak_rss)})

    async def stop_program(self, stop: Stop, *, at_once: bool = False) -> None:
        """End the program, with TERM and grace or at once; the first reason given counts."""
        self.stop = self.stop or stop
        if self._program is not None:
            if at_once:
                self._program.kill()
            await self._program.stop(self._site.grace)

    async def _finish_listening(self) -> None:
        if self.stop:  # do not wait for one who fled with the pipes: he dies now
            self._listening.abandon()
            await self._site.sweeper.sweep(self._held.cookie)
        await self._listening.drain(_DRAIN_SECONDS)

    async def _announce(self, program: Program, launch: Launch, parameters: dict[str, Any] | None) -> None:
        run = RunFacts(
            host=socket.gethostname(),
            pid=program.pid,
            argv=launch.argv,
            program=launch.program,
            directory=launch.directory,
            environment=dict(launch.environment_difference),
            unset=launch.unset,
            parameters=parameters,
        )
        self.run_facts, self.started_at = run, datetime.now(UTC)
        wish = await self._ledger.start(self._held, run)
        self._announced.set()
        self._upward.notice(wish)

    async def _heartbeats(self, program: Program) -> None:
        while True:
            await asyncio.sleep(self._site.heartbeat_interval.total_seconds())
            usage = await self._site.processes.of_attempt(self._held.cookie)
            self._peak_rss = max(self._peak_rss, usage.rss)
            beat = Heartbeat(
                pid=program.pid,
                elapsed_seconds=round(program.elapsed_seconds, 3),
                rss=usage.rss,
                cpu_seconds=usage.cpu_seconds,
                source="executor",
            )
            self.heartbeat = beat
            await self._upward.write(beat)

    async def _obey(self, program: Program) -> None:
        await self._announced.wait()
        while True:
            match message := await self._upward.read():
                case Cancel():
                    program.resume(())
                    await self._ledger.cancelling(self._held)
                    await self._listening.tell(message)
                    await self.stop_program(Stop(JobState.CANCELLED, "was cancelled"))
                case Pause() if not self.stop:
                    await self._listening.tell(message)
                    program.pause((await self._site.processes.of_attempt(self._held.cookie, fresh=True)).pids)
                    await self._ledger.pause(self._held)
                case Resume() if not self.stop:
                    program.resume((await self._site.processes.of_attempt(self._held.cookie, fresh=True)).pids)
                    await self._ledger.resume(self._held)
                    await self._listening.tell(message)
                case UserMessage():
                    await self._listening.tell(message)

    def _has_limits(self) -> bool:
        limits = self._held.spec.limits
        return any((limits.run, limits.no_output, limits.memory))

    async def _enforce_limits(self, program: Program) -> None:
        while not self.stop:
            await asyncio.sleep(_LOOK_SECONDS)
            if stop := await self._exceeded(program):
                await self.stop_program(stop, at_once=stop.reason is FailureReason.OUT_OF_MEMORY)

    async def _exceeded(self, program: Program) -> Stop | None:
        limits = self._held.spec.limits
        if limits.run and program.running_seconds > limits.run.total_seconds():
            return Stop(JobState.TIMED_OUT, f"ran longer than its limit of {limits.run.total_seconds():g} s")
        if limits.no_output and not program.paused and self._silence(program) > limits.no_output.total_seconds():
            return Stop(JobState.TIMED_OUT, f"wrote nothing for {limits.no_output.total_seconds():g} s")
        if limits.memory:
            usage = await self._site.processes.of_attempt(self._held.cookie)
            self._peak_rss = max(self._peak_rss, usage.rss)
            if usage.rss > limits.memory:
                error = f"used {usage.rss} bytes of memory, more than its limit of {limits.memory:d}"
                return Stop(JobState.FAILED, error, FailureReason.OUT_OF_MEMORY)
        return None

    def _silence(self, program: Program) -> float:
        """Return the seconds since the last byte, the start, or the end of the last pause."""
        return time.monotonic() - max(self._listening.last_output, program.resumed_at)


@contextlib.contextmanager
def _first_of_group() -> Iterator[None]:
    """Raise what a helper raised as it is, not as a group."""
    try:
        yield
    except BaseExceptionGroup as group:
        first = next((error for error in group.exceptions if isinstance(error, LedgerError)), group.exceptions[0])
        raise first from group
