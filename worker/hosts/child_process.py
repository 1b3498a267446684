"""A process that carries out jobs, seen from the one that started it."""

import asyncio
import socket
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

from ...communicators import WORDS, Claim, Exit, Ledger, Outcome
from ...config import Settings
from ...config.errors import LedgerError, Superseded
from ..signal_name import signal_name
from ..sweep import kill_all
from ..verdict import Released
from .fork_server import Forked, ForkServer
from .frames import FrameLink

__all__ = ["ChildLost", "ChildProcess"]

#: How long a process gets to end by itself; its programs get the settings' grace in that.
_END_SECONDS = 5.0


class ChildLost(Exception):
    """The process is gone, in the midst of an attempt; `ended` says how."""

    def __init__(self, ended: Exit) -> None:
        super().__init__(ended)
        self.ended = ended

    def __str__(self) -> str:
        how = (
            f"was killed by {self.ended.signal}"
            if self.ended.signal
            else f"ended with exit code {self.ended.exit_code}"
        )
        return f"the process that carried it out {how}"


class ChildProcess:
    """Has the process forked, gives it one attempt at a time, and says for it what it says to the ledger."""

    def __init__(self, settings: Settings, server: ForkServer) -> None:
        """Start nothing yet."""
        self._settings = settings
        self._server = server
        #: The value of the worker's cookie of all that the process starts.
        self._worker_id = uuid.uuid4().hex
        self._link: FrameLink | None = None
        self._forked: Forked | None = None
        self._heard = time.monotonic()
        self._is_ready = False
        #: Is told of each word that the process says to the ledger.
        self.on_word: Callable[[str], None] = lambda _word: None

    @property
    def pid(self) -> int:
        """The process's id; 0 before its start."""
        return self._forked.pid if self._forked else 0

    @property
    def is_usable(self) -> bool:
        """Whether it can be given another attempt, as far as we know."""
        return self._is_ready and self._forked is not None and not self._forked.ended.done()

    @property
    def heartbeat_age_seconds(self) -> float:
        """Seconds since the process was last heard."""
        return time.monotonic() - self._heard

    async def start(self) -> None:
        """Start the process, and wait until it is ready.

        Raises:
            ChildLost: when it does not get so far; standard error says why.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._forked = await self._server.fork(theirs)
            except OSError as error:
                ours.close()
                raise ChildLost(Exit(exit_code=1)) from error
        self._link = FrameLink(*await asyncio.open_connection(sock=ours))
        self._link.send("begin", self._settings, self._worker_id, sys.path)
        if await self._link.receive() is None:
            raise ChildLost(await self.end())
        self._is_ready = True

    async def attempt(self, held: Claim, packed: bytes, ledger: Ledger) -> Outcome | Released:
        """Have an attempt carried out, and return how it ended.

        Raises:
            ChildLost: when the process is gone before.
            LedgerError: when the attempt was taken from us.
        """
        link = self._link
        if link is None:
            raise AssertionError
        link.send("attempt", held, packed)
        with ledger.waking(held.spec.id, lambda: link.send("wake", held.spec.id)):
            while (words := await link.receive()) is not None:
                self._heard = time.monotonic()
                match words:
                    case ("say", number, cookie, word, arguments):
                        self.on_word(word)
                        link.send("answer", number, *await _answer(ledger, held, cookie, word, arguments))
                    case ("ended", LedgerError() as error, lingers):
                        self._is_ready = not lingers
                        raise error
                    case ("ended", end, lingers):
                        self._is_ready = not lingers
                        outcome: Outcome | Released = end
                        return outcome
        self._is_ready = False
        raise ChildLost(await self.end())

    def kill(self) -> None:
        """Kill the process; `end` looks for what it has started."""
        if self._forked is not None:
            self._forked.kill()

    async def end(self) -> Exit:
        """End the process, however it takes it, and return how it ended. Nothing that it has started is left then."""
        self._is_ready = False
        if self._link is not None:
            self._link.close()
        if self._forked is None:
            return Exit(exit_code=0)
        for _ in ("by itself", "by force"):
            await asyncio.wait({self._forked.ended}, timeout=_END_SECONDS)
            if self._forked.ended.done():
                break
            self._forked.kill()
        ended = _exit_of(self._forked.ended.result() if self._forked.ended.done() else None)
        if not ended.ok:  # else it has seen to that
            await asyncio.to_thread(kill_all, self._worker_id)
        return ended


async def _answer(
    ledger: Ledger, held: Claim, cookie: str, word: str, arguments: list[Any]
) -> tuple[Any, Exception | None]:
    if word not in WORDS:
        raise AssertionError(word)
    if cookie != held.cookie:  # it comes too late
        return None, Superseded(cookie.partition("/")[0])
    try:
        return await getattr(ledger, word)(held, *arguments), None
    except LedgerError as error:
        return None, error


def _exit_of(code: int | None) -> Exit:
    if code is None:
        return Exit(signal="unknown")
    return Exit(exit_code=code if code >= 0 else None, signal=signal_name(-code) if code < 0 else None)
