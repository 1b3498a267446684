"""One connection to an Executor's socket: what is said on it becomes messages, in order, and what it is told is sent."""

import asyncio
import logging
import socket
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..messages import Message
from .complaints import Complaints
from .descriptor_passing import close_all, receive_with_descriptors
from .dialect import Dialect, Heard
from .frame_dialect import FrameDialect
from .framing import FrameError, Outgoing
from .inbox import Arrival, Inbox
from .line_dialect import LineDialect
from .losses import Losses
from .peer_writer import PeerWriter
from .process_end import is_ending
from .program_messages import Refused, Unreadable
from .waiting import in_thread, is_readable, readable

__all__ = ["Shared", "SocketPeer"]

logger = logging.getLogger(__name__)

_CHUNK = 256 * 1024
#: Messages that are made at a time.
_BATCH = 64


@dataclass
class Shared:
    """What all connections of a socket have in common."""

    #: What log lines carry.
    facts: Mapping[str, Any]
    complaints: Complaints
    inbox: Inbox = field(default_factory=Inbox)
    #: What the trusted process said in vain.
    losses: Losses = field(default_factory=Losses)
    #: The process that may send frames.
    trusted: int | None = None
    #: What the trusted process shall hear once it is there, or who comes first if none is trusted.
    held: deque[Message] = field(default_factory=deque)
    #: When the last byte came, by the monotonic clock.
    last_heard: float = field(default_factory=time.monotonic)
    #: Connections that were refused.
    refused: int = 0
    #: Of each trusted connection that has ended, whether all of its messages have come.
    complete: list[bool] = field(default_factory=list)


class SocketPeer:
    """Serves a connection until either end closes it."""

    def __init__(self, connection: socket.socket, pid: int, shared: Shared) -> None:
        """Take over a connection that was just accepted from a process."""
        self._connection = connection
        self._pid = pid
        self._shared = shared
        self._dialect: Dialect | None = None
        self._writer = PeerWriter(connection, self._encode, shared.complaints, pid)
        self._last_heard = time.monotonic()
        self._has_spoken = False
        #: Since when it has nothing to say, by the monotonic clock; `None` while what it has said is being read.
        self.idle_since: float | None = None

    @property
    def is_child(self) -> bool:
        """Whether this is the trusted process, and has begun to speak in frames."""
        return isinstance(self._dialect, FrameDialect)

    def is_idle_for(self, seconds: float) -> bool:
        """Say whether all that it has said is read, and for so long it has said no more."""
        return self.idle_since is not None and time.monotonic() - self.idle_since >= seconds

    def is_silent(self, seconds: float) -> bool:
        """Whether it has said nothing whole since it came, and no byte for so long."""
        if self._has_spoken or self.is_child or time.monotonic() - self._last_heard < seconds:
            return False
        return not is_readable(self._connection)  # it may have spoken, and waits for room in the inbox

    async def serve(self) -> None:
        """Turn what comes into messages until there is no more. It never raises."""
        try:
            await self._listen()
        except (FrameError, Refused) as refusal:
            self.refuse(str(refusal))
        except Exception:  # a defect of ours costs this connection and not the job
            facts = {**self._shared.facts, "action": "socket_failed", "pid": self._pid}
            logger.exception("a connection to the socket failed", extra=facts)
        finally:
            await self._writer.end()
            self.close()

    def close(self) -> None:
        """Let go of the connection; of one that was served, this is done already."""
        if self._connection.fileno() >= 0:
            self._connection.close()
            if self._dialect:
                self._dialect.close()
            self._note_end()

    def tell(self, message: Message) -> None:
        """Send a message some time; whoever is trusted hears only once it has begun to speak."""
        if self._dialect or self._pid != self._shared.trusted:
            self._writer.put(message)

    def tell_held(self) -> None:
        """Send what was kept until now."""
        while self._shared.held:
            self._writer.put(self._shared.held.popleft())

    async def finish(self) -> None:
        """Wait until all is sent that the peer was told."""
        await self._writer.finish()

    def refuse(self, reason: str) -> None:
        """Note that the peer is not listened to."""
        self._shared.refused += 1
        self._warn("socket_refused", "refused a connection of process %d to the socket: %s", self._pid, reason)

    async def _listen(self) -> None:
        while True:
            await self._shared.inbox.room()
            data, descriptors = await self._receive()
            self._shared.last_heard = self._last_heard = time.monotonic()
            dialect = self._dialect = self._dialect or self._choose_dialect(data)
            if dialect is None:
                close_all(descriptors)
                self._refuse_beginning(data)
                return
            dialect.feed(data, descriptors)
            while pieces := dialect.take(min(await self._shared.inbox.room(), _BATCH)):
                self._has_spoken = True
                self._accept(await self._read(dialect, pieces))
            if not data:
                return

    async def _receive(self) -> tuple[bytes, list[int]]:
        """Only a trusted process's descriptors are asked for; the kernel drops those of others."""
        while True:
            self.idle_since = time.monotonic()
            await readable(self._connection)
            self.idle_since = None
            try:
                if self._pid == self._shared.trusted:
                    return receive_with_descriptors(self._connection, _CHUNK)
                return self._connection.recv(_CHUNK), []
            except BlockingIOError:
                continue
            except ConnectionResetError:  # it went without hearing all that it was told; what it said has come
                return b"", []

    def _choose_dialect(self, data: bytes) -> Dialect | None:
        if data[:1] in LineDialect.BEGINNINGS:
            return LineDialect()
        if data[:1] != FrameDialect.BEGINNING or self._pid != self._shared.trusted:
            return None
        self.tell_held()
        return FrameDialect()

    def _refuse_beginning(self, data: bytes) -> None:
        if data[:1] == FrameDialect.BEGINNING:
            raise Refused("it sends frames, which only the Executor's own child may")
        if data:
            raise Refused(f"it begins with {data[:20]!r}, which is no line of JSON")

    async def _read(self, dialect: Dialect, pieces: Sequence[Any]) -> list[Heard]:
        if dialect.is_light(pieces):
            await asyncio.sleep(0)  # one who says much that is skipped must not keep the event loop
            return dialect.read(pieces)
        return await in_thread(dialect.read, pieces)

    def _accept(self, heard: list[Heard]) -> None:
        for one in heard:
            if not isinstance(one, Arrival):
                raise one
            if isinstance(one.message, Unreadable):
                self._skip(one.message, one)
            else:
                self._shared.inbox.put(one.message, one)

    def _skip(self, unreadable: Unreadable, arrival: Arrival) -> None:
        self._warn("message_skipped", "skipped %s (process %d)", unreadable, self._pid)
        if self.is_child and (line := self._shared.losses.line_for(unreadable)):
            self._shared.inbox.put(line, arrival)
        else:
            arrival.taken()

    def _note_end(self) -> None:
        if isinstance(self._dialect, FrameDialect):
            self._shared.complete.append(self._dialect.is_complete)
            if not self._dialect.is_complete:
                # The end of a process that was killed, say, is told with its job; one that goes on has lost something.
                level = logging.INFO if is_ending(self._pid) else logging.WARNING
                text = "process %d has not sent all that it meant to send"
                self._shared.complaints.note(level, "socket_incomplete", text, self._pid, pid=self._pid)

    def _encode(self, message: Message) -> Outgoing:
        return (self._dialect or LineDialect()).encode(message)

    def _warn(self, action: str, text: str, *arguments: object) -> None:
        self._shared.complaints.warn(action, text, *arguments, pid=self._pid)
