"""The child's end of its Executor's socket: what a first-party task says and hears."""

import contextlib
import errno
import logging
import os
import socket
import threading
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

from ..messages import Message
from .credit import Credit
from .descriptor_passing import receive_with_descriptors, send_with_descriptor
from .frame_reader import FrameReader
from .framing import Frame, FrameError, Outgoing, end, hello
from .message_frames import fields_in, frame_of
from .program_messages import ANY_MESSAGE, Unreadable, message_of

__all__ = ["ExecutorLink"]

logger = logging.getLogger(__name__)

_CHUNK = 256 * 1024
_RETRY_SECONDS = 0.05


class ExecutorLink:
    """Blocks, and may be used by several threads: any may send, one should receive.

    It belongs to the process that made it and to none of its forks.
    """

    def __init__(self, connection: socket.socket) -> None:
        """Take over a connection; use `connect`."""
        self._connection = connection
        self._pid = os.getpid()
        self._credit = Credit.create()
        self._reader = FrameReader()
        # A signal handler that speaks while its own thread does gets in and finds it busy: it must not wait for ever.
        self._sending = threading.RLock()
        self._busy = False
        self._queue: deque[Outgoing] = deque()
        self._receiving = threading.RLock()
        self._sent = 0
        self._broken = False
        self._closed = False

    @classmethod
    def connect(cls, path: Path) -> Self:
        """Connect to the Executor, which must trust this process.

        Raises:
            OSError: when nobody listens there.
        """
        link = cls(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        try:
            link._connection.connect(str(path))
            link._transmit(hello(link._credit.descriptor))
        except BaseException:
            link._let_go()
            raise
        return link

    def send(self, message: Message) -> None:
        """Hand a message to the Executor, with a value of any type and size. Waits while the Executor cannot keep up.

        A signal handler, or a `__del__`, may speak while its thread does: its message goes right after the other.
        One that raises meanwhile may break the link; what was sent before arrives.

        Raises:
            BrokenPipeError: when the Executor is gone, or the link is closed, broken or another process's.
            Exception: what pickling the value raises; nothing was sent then.
        """
        outgoing = frame_of(message)
        with contextlib.ExitStack() as unsent:
            unsent.callback(outgoing.close)
            self._check_process()
            with self._sending:
                if not self._busy:
                    self._check_usable()
                unsent.pop_all()
                self._queue.append(outgoing)
                if not self._busy:
                    self._send_queue()

    def receive(self) -> Message | None:
        """Return the next message from the Executor, once there is one; `None` when there will be no more."""
        with self._receiving:
            try:
                while (frame := self._next_frame()) is not None:
                    try:
                        return message_of(*fields_in(frame), ANY_MESSAGE)
                    except Unreadable as skipped:
                        logger.warning("skipped %s", skipped, extra={"action": "message_skipped"})
            except (FrameError, OSError) as error:
                logger.debug("the Executor cannot be heard any more: %s", error, extra={"action": "link_lost"})
        return None

    def close(self) -> None:
        """Say how many messages were sent, and end the link. Whoever receives meanwhile gets `None`."""
        if os.getpid() != self._pid:  # the locks may be held by threads that were not forked
            self._connection.close()
            return
        with self._sending:
            if self._closed:
                return
            self._closed = True
            with contextlib.suppress(OSError):  # the Executor is gone
                if not self._broken and not self._busy:
                    self._send_queue()
                    self._transmit(end(self._sent))
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
        with self._receiving:
            self._let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _let_go(self) -> None:
        self._drop_queue()
        self._connection.close()
        self._reader.close()
        self._credit.close()

    def _check_process(self) -> None:
        if os.getpid() != self._pid:  # before the lock, which may be held by a thread that was not forked
            raise BrokenPipeError(errno.EPIPE, "the link belongs to the process that made it, not to its forks")

    def _check_usable(self) -> None:
        if self._closed or self._broken:
            raise BrokenPipeError(
                errno.EPIPE, "the link is closed" if self._closed else "the link broke within a message"
            )

    def _send_queue(self) -> None:
        """Send all that waits; what comes right before we are not busy any more, too."""
        while self._queue:
            self._busy = True
            try:
                while self._queue:
                    self._send_next()
            finally:
                self._busy = False
                if self._broken:
                    self._drop_queue()

    def _send_next(self) -> None:
        outgoing = self._queue.popleft()
        try:
            if outgoing.held:
                self._credit.spend(outgoing.held, self._connection)
            self._transmit(outgoing)
            self._sent += 1
        finally:
            outgoing.close()

    def _drop_queue(self) -> None:
        while self._queue:
            self._queue.popleft().close()

    def _transmit(self, outgoing: Outgoing) -> None:
        data = memoryview(outgoing.data)
        self._broken = True
        try:
            while data:
                try:
                    sent = send_with_descriptor(self._connection, data, outgoing.descriptor)
                except OSError as error:
                    if error.errno != errno.ETOOMANYREFS:
                        raise
                    time.sleep(_RETRY_SECONDS)  # our user has too many descriptors under way, in all links together
                    continue
                outgoing.close()  # it has gone with the first byte
                data = data[sent:]
        finally:
            outgoing.close()
        self._broken = False

    def _next_frame(self) -> Frame | None:
        while (frame := self._reader.take()) is None:
            data, descriptors = receive_with_descriptors(self._connection, _CHUNK)
            if not data:
                return None
            self._reader.feed(data, descriptors)
        return frame
