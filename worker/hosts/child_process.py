"""A process that carries out jobs, seen from the one that started it."""

import asyncio
import socket
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
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
#: How long after a process's end its last words are waited for: others may hold its line, and say nothing.
_LAST_WORDS_SECONDS = 0.2


class ChildLost(Exception):
    """The process is gone, in the midst of an attempt; `ended` says how."""

    def __init__(self, ended: Exit) -> None:
        super().__init__(ended)
        self.ended = ended

    def __str__(self) -> str:
        ended = self.ended
        how = f"was killed by {ended.signal}" if ended.signal else f"ended with exit code {ended.exit_code}"
        return f"the process that carried it out {how}"


@dataclass(frozen=True)
class _Attempt:
    """What the process carries out now, and where its words go."""

    held: Claim
    ledger: Ledger
    end: "asyncio.Future[Outcome | Released]"


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
        self._listening: asyncio.Task[None] | None = None
        self._attempt: _Attempt | None = None
        self._heard = time.monotonic()
        #: Whether it can be given another attempt.
        self.is_usable = False
        #: Is told of each word that the process says to the ledger.
        self.on_word: Callable[[str], None] = lambda _word: None

    @property
    def pid(self) -> int:
        """The process's id; 0 before its start."""
        return self._forked.pid if self._forked else 0

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
        self._link = link = FrameLink(*await asyncio.open_connection(sock=ours))
        loop = asyncio.get_running_loop()
        self._forked.ended.add_done_callback(lambda _: loop.call_later(_LAST_WORDS_SECONDS, link.abort))
        link.send("begin", self._settings, self._worker_id, sys.path)
        if await link.receive() is None:
            raise ChildLost(await self.end())
        self._heard, self.is_usable = time.monotonic(), True
        self._listening = asyncio.create_task(self._listen(link))

    async def attempt(self, held: Claim, packed: bytes, ledger: Ledger) -> Outcome | Released:
        """Have an attempt carried out, and return how it ended.

        Raises:
            ChildLost: when the process is gone before.
            LedgerError: when the attempt was taken from us.
        """
        link = self._link
        if link is None:
            raise AssertionError
        end: asyncio.Future[Outcome | Released] = asyncio.get_running_loop().create_future()
        self._attempt = _Attempt(held, ledger, end)
        try:
            if self._listening is None or self._listening.done():
                raise ChildLost(await self.end())
            link.send("attempt", held, packed)
            with ledger.waking(held.spec.id, lambda: link.send("wake", held.spec.id)):
                return await end
        finally:
            self._attempt = None

    def kill(self) -> None:
        """Kill the process; `end` looks for what it has started."""
        if self._forked is not None:
            self._forked.kill()

    async def end(self) -> Exit:
        """End the process, however it takes it, and return how it ended. Nothing that it has started is left then."""
        self.is_usable = False
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

    async def _listen(self, link: FrameLink) -> None:
        """Hear the process until it is gone; an attempt that it leaves behind is lost."""
        while (words := await link.receive()) is not None:
            self._heard = time.monotonic()
            match words:
                case ("say", number, cookie, word, arguments):
                    self.on_word(word)
                    link.send("answer", number, *await self._answer(cookie, word, arguments))
                case ("ended", end, lingers):
                    self.is_usable = not lingers
                    self._note_end(end)
        self.is_usable = False
        ended = await self.end()
        self._note_end(ChildLost(ended))

    def _note_end(self, end: Outcome | Released | Exception) -> None:
        if self._attempt is None or self._attempt.end.done():
            return
        if isinstance(end, Exception):
            self._attempt.end.set_exception(end)
        else:
            self._attempt.end.set_result(end)

    async def _answer(self, cookie: str, word: str, arguments: list[Any]) -> tuple[Any, Exception | None]:
        if word not in WORDS:
            raise AssertionError(word)
        attempt = self._attempt
        if attempt is None or cookie != attempt.held.cookie:  # it comes too late
            return None, Superseded(cookie.partition("/")[0])
        try:
            return await getattr(attempt.ledger, word)(attempt.held, *arguments), None
        except LedgerError as error:
            return None, error


def _exit_of(code: int | None) -> Exit:
    if code is None:
        return Exit(signal="unknown")
    return Exit(exit_code=code if code >= 0 else None, signal=signal_name(-code) if code < 0 else None)
