"""The Executor's end of a private Unix socket, on which its program and what that starts may speak while they run."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..communicator import ProgramCommunicator
from ..messages import Message
from .complaints import Complaints
from .inbox import Arrival
from .peer_writer import MOST_WAITING
from .private_socket import credentials_of, open_private_socket
from .socket_peer import Shared, SocketPeer
from .waiting import is_readable

__all__ = ["SocketCommunicator"]

#: More of them wait to be let in. All jobs of a worker share its descriptors, so no program may have many.
_MOST_PEERS = 16
#: One who says nothing for so long is let out again when others wait.
_SILENT_SECONDS = 5.0
#: How often that is looked at.
_LOOK_SECONDS = 1.0
#: How long peers may take to hear the last messages.
_FINISH_SECONDS = 0.5
#: After no connection could be accepted, for want of descriptors say.
_RETRY_SECONDS = 0.2
#: In place of a process id, while the one to be trusted has not come.
_NOBODY_YET = 0


def _nobody(_pid: int) -> bool:
    return False


class SocketCommunicator(ProgramCommunicator):
    """Listens to every process of ours that connects: to the trusted one in frames, to all in lines of JSON.

    Frames are unpickled, so they are as good as code of ours. Lines are data: they report, and can do nothing else.
    """

    def __init__(self, path: Path, facts: Mapping[str, Any] | None = None) -> None:
        """Prepare to listen.

        Args:
            path: where; at most 107 bytes, in a directory that is ours alone or does not exist.
            facts: what log lines carry, such as the job.
        """
        self._path = path
        self._shared = Shared(facts or {}, Complaints(facts or {}))
        self._listener: socket.socket | None = None
        self._peers: dict[SocketPeer, asyncio.Task[None]] = {}
        self._room = asyncio.Event()
        self._looking: asyncio.TimerHandle | None = None
        self._is_meant: Callable[[int], bool] = _nobody

    @property
    def refused(self) -> int:
        """How many connections were refused."""
        return self._shared.refused

    @property
    def last_output(self) -> float:
        """When the last byte came, by the monotonic clock."""
        return self._shared.last_heard

    @property
    def complete(self) -> bool | None:
        """Whether all that the trusted process sent has come, as it counted itself; `None` before it has ended."""
        return all(self._shared.complete) if self._shared.complete else None

    def trust(self, pid: int) -> None:
        """Let this process send frames, and no other. Call it before the process can have begun to speak."""
        self._shared.trusted = pid

    def trust_first(self, is_meant: Callable[[int], bool]) -> None:
        """Let the first process that connects and is meant send frames, and no other.

        For a process that is not known by its id yet: a wrapper starts it. Call it before it can have begun to speak.
        """
        self._shared.trusted = _NOBODY_YET
        self._is_meant = is_meant

    async def open(self) -> None:
        """Make the socket, and the directory if need be.

        Raises:
            CannotRun: when the path is too long or in use, or others can enter the directory.
        """
        self._listener = open_private_socket(self._path)
        self._watch()

    async def read(self) -> Message | None:
        """Return the next message in the order of arrival; `None` once closed and all were read."""
        return await self._shared.inbox.take()

    async def write(self, message: Message) -> None:
        """Tell every peer. While the trusted process, or nobody at all, can hear it yet, it is kept."""
        if not any(peer.is_child or self._shared.trusted is None for peer in self._peers):
            self._hold(message)
        for peer in self._peers:
            peer.tell(message)

    async def wait_drained(self, timeout_seconds: float) -> None:
        """Wait until all that have connected are gone and what they wrote can be read, or for so long.

        What the trusted process has sent is waited for in any case, for as long as there is more of it to be read.
        """
        await self._wait_for_all(timeout_seconds)
        while any(peer.is_child and not peer.is_idle_for(timeout_seconds) for peer in self._peers):
            self._room.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_seconds / 4):
                    await self._room.wait()

    async def _wait_for_all(self, timeout_seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while True:
                    if self._accept_waiting() and not self._peers:
                        return
                    self._room.clear()
                    await self._room.wait()

    async def close(self) -> None:
        """Tell the peers what they were to hear, as far as they take it now, and let go of them and of the path."""
        self._stop_listening()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FINISH_SECONDS):
                    await asyncio.gather(*(peer.finish() for peer in self._peers))
        finally:
            serving = list(self._peers.values())
            for task in serving:
                task.cancel()
            if serving:
                await asyncio.wait(serving)
            if total := self._shared.losses.total():
                self._shared.inbox.put(total, Arrival(total))
            self._shared.inbox.close()
            self._shared.complaints.sum_up()

    def _hold(self, message: Message) -> None:
        held = self._shared.held
        if len(held) >= MOST_WAITING:
            held.popleft()
            self._shared.complaints.count("message_lost")
        held.append(message)

    def _watch(self) -> None:
        if self._listener:
            asyncio.get_running_loop().add_reader(self._listener, self._accept_waiting)

    def _unwatch(self) -> None:
        if self._listener:
            asyncio.get_running_loop().remove_reader(self._listener)

    def _stop_listening(self) -> None:
        if self._listener:
            self._unwatch()
            self._listener.close()
            self._listener = None
            if self._looking:
                self._looking.cancel()
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _accept_waiting(self) -> bool:
        """Let in all that wait, as long as there is room; return whether nobody waits any more."""
        while self._listener and len(self._peers) < _MOST_PEERS:
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                return True
            except OSError as error:
                text = "a connection to the socket cannot be accepted yet: %s"
                self._shared.complaints.warn("socket_not_accepted", text, error)
                asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._make_room)
                break
            self._let_in(connection)
        self._unwatch()
        self._look_later()
        return self._listener is None

    def _look_later(self) -> None:
        if self._listener and not self._looking:
            self._looking = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._let_out_silent)

    def _let_out_silent(self) -> None:
        """Let go of those who only hold places that others wait for."""
        self._looking = None
        if not self._listener or len(self._peers) < _MOST_PEERS:
            return
        if is_readable(self._listener):
            for peer, task in self._peers.items():
                if peer.is_silent(_SILENT_SECONDS) and not task.cancelling():
                    peer.refuse(f"it has said nothing for {_SILENT_SECONDS:g} s, and others wait")
                    task.cancel()
        self._look_later()

    def _let_in(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        pid, uid = credentials_of(connection)
        if self._shared.trusted == _NOBODY_YET and uid == os.geteuid() and self._is_meant(pid):
            self._shared.trusted = pid
        peer = SocketPeer(connection, pid, self._shared)
        if uid not in (0, os.geteuid()):
            peer.refuse(f"it belongs to user {uid}")
            peer.close()
            return
        if self._shared.trusted is None:
            peer.tell_held()
        task = self._peers[peer] = asyncio.create_task(peer.serve())
        task.add_done_callback(lambda _: self._let_out(peer))

    def _let_out(self, peer: SocketPeer) -> None:
        peer.close()  # a task that is cancelled before it began lets go of nothing
        del self._peers[peer]
        self._make_room()

    def _make_room(self) -> None:
        self._room.set()
        self._watch()
