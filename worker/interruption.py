"""How TERM interrupts a first-party task."""

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from ..tasks import Cancelled

__all__ = ["Interruption"]

#: How long after an interruption that was ignored there is another.
_PAUSE_SECONDS = 0.1


class Interruption:
    """At TERM it raises `Cancelled` in the main thread, but never within a `with` of its own.

    That of another thread holds nothing back: it is not what gets interrupted.
    """

    def __init__(self, is_wanted: Callable[[], bool]) -> None:
        """Ask, at each TERM, whether the task is to be interrupted."""
        self._is_wanted = is_wanted
        self._main = threading.main_thread().ident
        self._held = 0
        self._is_due = False
        self._forking = threading.local()

    def start(self) -> None:
        """Interrupt from now on; to be called by the main thread."""
        signal.signal(signal.SIGTERM, self._at_term)
        os.register_at_fork(before=self._block, after_in_parent=self._unblock, after_in_child=self._let_go)
        sys.unraisablehook = partial(self._when_ignored, sys.unraisablehook)

    def end(self) -> None:
        """Interrupt no more; to be called by the main thread."""
        self._held += 1

    def _when_ignored(self, otherwise: Callable[[Any], object], ignored: Any) -> None:
        """Interrupt once more when Python ignored it, as it does with what is raised in a destructor or a callback."""
        if isinstance(ignored.exc_value, Cancelled):
            _thread.start_new_thread(self._once_more, ())  # takes no lock that the main thread may hold here
        else:
            otherwise(ignored)

    def _once_more(self) -> None:
        time.sleep(_PAUSE_SECONDS)
        if self._main is not None and signal.getsignal(signal.SIGTERM) == self._at_term:
            signal.pthread_kill(self._main, signal.SIGTERM)

    def _block(self) -> None:
        """Keep TERM for after a fork: Python drops what comes to a child before."""
        with self:
            self._forking.blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def _unblock(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._forking.blocked)

    def _let_go(self) -> None:
        """Have TERM end a forked child, as whoever forked it expects."""
        if signal.getsignal(signal.SIGTERM) == self._at_term:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._unblock()

    def __enter__(self) -> None:
        if threading.get_ident() == self._main:
            self._held += 1

    def __exit__(self, *_: object) -> None:
        if threading.get_ident() != self._main:
            return
        self._held -= 1
        if self._is_due and not self._held:
            self._interrupt()

    def _at_term(self, *_: Any) -> None:
        if not self._is_wanted():
            return
        if self._held:
            self._is_due = True
        else:
            self._interrupt()

    def _interrupt(self) -> None:
        self._is_due = False
        raise Cancelled("the job was cancelled or ran into a limit")
