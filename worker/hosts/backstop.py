"""What ends a function that holds up even the Executor beside it, such as C code that lets no other Python run."""

import asyncio
from contextlib import ExitStack
from typing import Self

from ...communicators import Claim, JobState, MemoryLedger, Wish
from ...config import Settings
from ..verdict import Stop
from .child_process import ChildProcess

__all__ = ["Backstop"]

#: Beyond the grace, how long a process may take to end a function before it is ended itself.
_MARGIN_SECONDS = 0.4


class Backstop:
    """Kills a process, for as long as it is entered, when it has not ended its function in time."""

    def __init__(self, child: ChildProcess, held: Claim, ledger: MemoryLedger, settings: Settings) -> None:
        """Watch over the attempt that `held` names."""
        self._child = child
        self._held = held
        self._ledger = ledger
        self._grace = settings.grace.total_seconds() + _MARGIN_SECONDS
        self._timers: list[asyncio.TimerHandle] = []
        self._waking = ExitStack()
        #: Why the process was killed, if it was.
        self.stop: Stop | None = None

    def __enter__(self) -> Self:
        self._child.on_word = self._note_start
        self._waking.enter_context(self._ledger.waking(self._held.spec.id, self._note_cancel))
        return self

    def __exit__(self, *_: object) -> None:
        self._child.on_word = lambda _word: None
        self._waking.close()
        for timer in self._timers:
            timer.cancel()

    def _note_start(self, word: str) -> None:
        limit = self._held.spec.limits.run
        if word == "start" and limit:
            error = f"ran longer than its limit of {limit.total_seconds():g} s"
            self._kill_after(limit.total_seconds() + self._grace, Stop(JobState.TIMED_OUT, error))

    def _note_cancel(self) -> None:
        if self._ledger.wanted(self._held.spec.id).wish is Wish.CANCEL:
            self._kill_after(self._grace, Stop(JobState.CANCELLED, "was cancelled"))

    def _kill_after(self, seconds: float, stop: Stop) -> None:
        self._timers.append(asyncio.get_running_loop().call_later(seconds, self._kill, stop))

    def _kill(self, stop: Stop) -> None:
        self.stop = self.stop or stop
        self._child.kill()
