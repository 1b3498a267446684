"""Where the processes of a `ProcessHost` come from, seen from the one that asks for them."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections import deque

from .fork_answers import ANSWER, ENDED, FORKED

__all__ = ["ForkServer", "Forked"]

_MODULE = "outrider.worker.hosts.forker"
#: How long the server gets to end.
_END_SECONDS = 5.0


class Forked:
    """A process that was forked for us; it is the server's child, and we hold it by its pidfd."""

    def __init__(self, pid: int) -> None:
        """Hold the process."""
        self.pid = pid
        self._pidfd: int | None = None
        with contextlib.suppress(ProcessLookupError):  # it has ended already
            self._pidfd = os.pidfd_open(pid)
        #: Has its exit code, or minus the number of the signal that has ended it; `None` if nobody can tell.
        self.ended: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    def kill(self) -> None:
        """Send KILL, to this process and no other that has its number by now."""
        if self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def note_orphaned(self) -> None:
        """Its parent is lost: nobody will tell how it ends, but the kernel tells when."""
        if self._pidfd is None:
            self.note_end(None)
        else:
            asyncio.get_running_loop().add_reader(self._pidfd, self.note_end, None)

    def note_end(self, code: int | None) -> None:
        """Take note of how it has ended."""
        if self._pidfd is not None:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None
        if not self.ended.done():
            self.ended.set_result(code)


class ForkServer:
    """Starts a process with all that is needed imported, and has it fork. One that is lost is replaced at the next fork."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._popen: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._listening: asyncio.Task[None] | None = None
        self._asked: deque[asyncio.Future[Forked]] = deque()
        self._forks: dict[int, Forked] = {}

    async def fork(self, line: socket.socket) -> Forked:
        """Return a process that serves on a line.

        Raises:
            OSError: when the server cannot be started, or is lost just now; its standard error says why.
        """
        if self._connection is None:
            self._start()
        connection = self._connection
        if connection is None:
            raise AssertionError
        asked: asyncio.Future[Forked] = asyncio.get_running_loop().create_future()
        self._asked.append(asked)
        try:
            socket.send_fds(connection, [b"f"], [line.fileno()])
        except OSError:
            self._asked.remove(asked)
            raise
        return await asked

    async def close(self) -> None:
        """End the server; call it when its forks have ended."""
        if self._connection is not None:
            self._connection.shutdown(socket.SHUT_WR)
        if self._listening is not None:
            await asyncio.wait({self._listening}, timeout=_END_SECONDS)
            self._listening.cancel()
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._popen = subprocess.Popen(
                [sys.executable, "-P", "-m", _MODULE],
                stdin=theirs.fileno(),
                start_new_session=True,  # what stops us must not stop it before us
            )
        self._connection = ours
        self._listening = asyncio.create_task(self._listen(ours))

    async def _listen(self, connection: socket.socket) -> None:
        """Take the server's answers until it is gone; forks of a lost server may live, and end as their lines close."""
        connection.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=connection)
        try:
            while True:
                self._take(*ANSWER.unpack(await reader.readexactly(ANSWER.size)))
        except (asyncio.IncompleteReadError, ConnectionError):
            self._lose()
        finally:
            writer.close()

    def _take(self, what: bytes, pid: int, code: int) -> None:
        if what == FORKED:
            asked = self._asked.popleft()
            if pid:
                forked = self._forks[pid] = Forked(pid)
            if asked.done():  # nobody wants it any more: its line is closed, and it ends
                return
            if pid:
                asked.set_result(forked)
            else:
                asked.set_exception(OSError(code, os.strerror(code)))
        elif what == ENDED and (ended := self._forks.pop(pid, None)) is not None:
            ended.note_end(code)

    def _lose(self) -> None:
        self._connection = None
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()
        for asked in self._asked:
            if asked.done():
                continue
            asked.set_exception(ConnectionError("the process that forks others has ended"))
        for forked in self._forks.values():
            forked.note_orphaned()
        self._asked.clear()
        self._forks.clear()
