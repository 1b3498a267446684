"""The end of a stream where a program's bytes come out."""

import asyncio
import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable

from .log_file import LogFile
from .output_tail import OutputTail

__all__ = ["Drain"]

#: What a pipe grows to when it was found well filled, and the most that is taken before others have their turn.
_CHUNK = 1024 * 1024
#: A read of less than this has emptied the pipe. A terminal gives less than a page at a time.
_LITTLE = 2048
#: The longest rest, and the shortest that is worth a timer.
_LONG_REST, _SHORT_REST = 0.01, 0.001


class _Room(threading.local):
    """Memory for bytes on their way. All drains of a loop share it: each has done with it when it gives the loop back."""

    def __init__(self) -> None:
        self.bytes = bytearray(_CHUNK)
        self.view = memoryview(self.bytes)


_room = _Room()


class Drain:
    """Takes the bytes of one stream on the running event loop: all of them to the file, the newest to the tail.

    A stream that trickles is read when there is something. One that comes in many small pieces is left alone until a good
    part of its pipe should be full: to be woken for every line would cost the worker, and the program, more than the lines.
    """

    def __init__(
        self, reader: int, log: LogFile, news: asyncio.Event, hear: Callable[[memoryview], None] | None = None
    ) -> None:
        """Start to drain.

        Args:
            reader: the file descriptor to read from, of a pipe or a terminal; it is closed in the end.
            log: what takes the bytes; it is closed in the end.
            news: set when something came, and at the end.
            hear: gets each piece of the bytes as well; it must be quick, and keep none.
        """
        self._reader = reader
        self._log = log
        self._news = news
        self._hear = hear
        #: The newest output.
        self.tail = OutputTail()
        #: Set once the last byte came, or `close` was called.
        self.ended = asyncio.Event()
        #: When the last byte came, by the monotonic clock.
        self.last_output = time.monotonic()
        self._looked = self.last_output
        self._capacity = self._grow_limit = 0
        with contextlib.suppress(OSError):  # a terminal has none
            self._capacity = fcntl.fcntl(reader, fcntl.F_GETPIPE_SZ)
            self._grow_limit = _CHUNK
        os.set_blocking(reader, False)
        self._loop = asyncio.get_running_loop()
        self._rest: asyncio.TimerHandle | None = None
        self._loop.add_reader(reader, self._look)

    def close(self) -> None:
        """Stop, whoever still holds the other end."""
        if self.ended.is_set():
            return
        if self._rest:
            self._rest.cancel()
        self._loop.remove_reader(self._reader)
        os.close(self._reader)
        self._log.close()
        self.ended.set()
        self._news.set()

    def _look(self) -> None:
        size = self._take()
        if self.ended.is_set():
            return
        now = time.monotonic()
        since, self._looked = now - self._looked, now
        if size:
            self.last_output = now
            self._news.set()
        if size * 4 > self._capacity:
            self._grow()
        self._wait(self._rest_after(size, since))

    def _take(self) -> int:
        """Take what is there, and return how much it was."""
        taken = size = 0
        while taken < _CHUNK:
            try:
                size = os.readv(self._reader, [_room.bytes])
            except BlockingIOError:
                break
            except OSError:  # EIO: nobody holds the other side of the terminal any more
                size = 0
            if not size:
                self.close()
                break
            self._log.write(_room.view[:size])
            self.tail.feed(_room.bytes, size)
            if self._hear:
                self._hear(_room.view[:size])
            taken += size
            if size < _LITTLE:
                break
        return taken

    def _rest_after(self, size: int, since: float) -> float:
        """Return the seconds until a pipe that filled by `size` in `since` is a quarter full; 0: wait for the next byte."""
        if not size or since > _LONG_REST + _SHORT_REST:
            return 0.0
        rest = min(_LONG_REST, since * self._capacity / 4 / size)
        return rest if rest >= _SHORT_REST else 0.0

    def _wait(self, rest: float) -> None:
        if rest:
            if self._rest is None:
                self._loop.remove_reader(self._reader)
            self._rest = self._loop.call_later(rest, self._look)
        elif self._rest:
            self._rest = None
            self._loop.add_reader(self._reader, self._look)

    def _grow(self) -> None:
        if self._capacity < self._grow_limit:
            self._grow_limit = 0  # once: a user's pipes may be limited, and smaller ones work as well
            with contextlib.suppress(OSError):
                self._capacity = fcntl.fcntl(self._reader, fcntl.F_SETPIPE_SZ, _CHUNK)
