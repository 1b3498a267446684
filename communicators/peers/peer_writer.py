"""What one peer of an Executor's socket is told: in order, without anybody waiting for it."""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable

from ..messages import Message
from .complaints import Complaints
from .descriptor_passing import send_with_descriptor
from .framing import Outgoing
from .waiting import in_thread, writable

__all__ = ["MOST_WAITING", "PeerWriter"]

#: Messages that wait for a peer; then the oldest make room. Producers may not send half as many at a time.
MOST_WAITING = 2000


class PeerWriter:
    """Sends messages while the peer takes them. That a peer hears nothing any more does not keep it from speaking."""

    def __init__(
        self, connection: socket.socket, encode: Callable[[Message], Outgoing], complaints: Complaints, pid: int
    ) -> None:
        """Prepare to send on a non-blocking connection, which stays somebody else's to close."""
        self._connection = connection
        self._encode = encode
        self._complaints = complaints
        self._pid = pid
        self._waiting: deque[Message] = deque()
        self._sending: asyncio.Task[None] | None = None
        self._ended = False

    def put(self, message: Message) -> None:
        """Send a message some time. It never waits and never raises."""
        if self._ended:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self._complaints.count("message_lost")
        self._waiting.append(message)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_all())

    async def finish(self) -> None:
        """Wait until all is sent."""
        if self._sending:
            await asyncio.wait([self._sending])

    async def end(self) -> None:
        """Send nothing more. Then the connection may be closed."""
        self._give_up()
        if self._sending:
            self._sending.cancel()
            await asyncio.wait([self._sending])

    def _give_up(self) -> None:
        """Let the peer know that it will hear nothing more."""
        self._ended = True
        self._waiting.clear()
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)

    async def _send_all(self) -> None:
        while self._waiting:
            message = self._waiting.popleft()
            try:
                outgoing = await self._encoded(message)
            except Exception as error:  # noqa: BLE001 - a value may raise anything when it is written down
                text = "a peer cannot be told a %s: %s"
                self._complaints.warn("message_skipped", text, message.kind, error, pid=self._pid)
                continue
            try:
                await self._send(outgoing)
            except OSError:  # it has gone, which whoever listens to it will learn
                self._give_up()

    async def _encoded(self, message: Message) -> Outgoing:
        if "value" in type(message).model_fields:  # of any size
            return await in_thread(self._encode, message, unwanted=Outgoing.close)
        return self._encode(message)

    async def _send(self, outgoing: Outgoing) -> None:
        data = memoryview(outgoing.data)
        try:
            while data:
                try:
                    sent = send_with_descriptor(self._connection, data, outgoing.descriptor)
                except BlockingIOError:
                    await writable(self._connection)
                    continue
                outgoing.close()  # it has gone with the first byte
                data = data[sent:]
        finally:
            outgoing.close()
