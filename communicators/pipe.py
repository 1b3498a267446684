"""What a program prints: all of it into files, the newest of it as messages."""

import asyncio
import contextlib
import fcntl
import logging
import os
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from .communicator import Communicator
from .messages import LogLines, Message, Progress, Stream
from .output_tail import OutputTail
from .progress_pattern import ProgressPattern

__all__ = ["PipeCommunicator"]

logger = logging.getLogger(__name__)

_CHUNK = 256 * 1024
#: Progress is looked for in this many of the newest characters.
_PROGRESS_WINDOW = 4096


class PipeCommunicator(Communicator):
    """Drains the pipes of one program on the running event loop.

    Bytes go to the files untouched. What is printed is text and nothing else: no byte of it is ever interpreted. Messages
    are collected for an interval, so a program that floods costs a bounded number of them.
    """

    def __init__(
        self, files: Mapping[Stream, Path], progress: ProgressPattern | None = None, interval_seconds: float = 0.1
    ) -> None:
        """Prepare one pipe for each stream that has a file."""
        self._files = files
        self._progress = progress
        self._interval = interval_seconds
        self._tails: dict[Stream, OutputTail] = {name: OutputTail() for name in files}
        self._readers: dict[Stream, int] = {}
        self._logs: dict[Stream, int] = {}
        #: The ends for the program; close them with `hand_over` once it has them.
        self.write_ends: dict[Stream, int] = {}
        self._ready: deque[Message] = deque()
        self._arrived = asyncio.Event()
        self._ended = asyncio.Event()
        self._newest: dict[Stream, Progress] = {}
        self._looked = 0.0
        #: When the last byte came, by the monotonic clock.
        self.last_output = time.monotonic()

    async def open(self) -> None:
        """Make the pipes and the files, and start to drain."""
        loop = asyncio.get_running_loop()
        for name, path in self._files.items():
            self._logs[name] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
            reader, writer = os.pipe()
            self._readers[name], self.write_ends[name] = reader, writer
            with contextlib.suppress(OSError):  # a user's pipes may be limited: smaller ones work as well
                fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, _CHUNK)
            os.set_blocking(reader, False)
            loop.add_reader(reader, self._drain, name)

    def hand_over(self) -> None:
        """Close our copies of the ends that the program has now, so that its end is the pipes' end."""
        while self.write_ends:
            os.close(self.write_ends.popitem()[1])

    async def read(self) -> Message | None:
        """Return the next progress or lines; `None` after the last byte."""
        while not self._ready:
            if self._ended.is_set() and not self._arrived.is_set():
                return None
            await self._arrived.wait()
            if (pause := self._looked + self._interval - time.monotonic()) > 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._ended.wait()
            self._look()
        return self._ready.popleft()

    async def write(self, message: Message) -> None:
        """Drop the message: a program that we do not own listens to nothing but signals."""

    async def wait_drained(self, timeout_seconds: float) -> None:
        """Wait until the program and all that inherited its pipes have closed them, or for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._ended.wait()

    async def close(self) -> None:
        """Stop draining, whoever still holds the other ends."""
        self.hand_over()
        for name in list(self._readers):
            self._end(name)
        while self._logs:
            os.close(self._logs.popitem()[1])

    def last_lines(self, stream: Stream) -> tuple[str, ...]:
        """Return the newest lines of a stream, oldest first."""
        return tuple(self._tails[stream].last_lines) if stream in self._tails else ()

    def _drain(self, name: Stream) -> None:
        try:
            data = os.read(self._readers[name], _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._end(name)
            return
        self.last_output = time.monotonic()
        self._keep(name, data)
        self._tails[name].feed(data)
        self._arrived.set()

    def _keep(self, name: Stream, data: bytes) -> None:
        log = self._logs.get(name)
        if log is None:
            return
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(log, view) :]
        except OSError:  # the disk is full, say: the program goes on, and its newest lines are still relayed
            logger.exception("cannot write %s any more", self._files[name], extra={"action": "log_file_lost"})
            os.close(self._logs.pop(name))

    def _end(self, name: Stream) -> None:
        reader = self._readers.pop(name)
        asyncio.get_running_loop().remove_reader(reader)
        os.close(reader)
        if not self._readers:
            self._ended.set()
            self._arrived.set()

    def _look(self) -> None:
        self._arrived.clear()
        self._looked = time.monotonic()
        final = self._ended.is_set()
        for name, tail in self._tails.items():
            new = tail.take(final=final)
            progress = self._progress and self._progress.last(new.text[-_PROGRESS_WINDOW:])
            if progress and progress != self._newest.get(name):  # an unfinished line is looked at again
                self._newest[name] = progress
                self._ready.append(progress.model_copy(update={"source": name}))
            if new.lines or new.dropped:
                self._ready.append(LogLines(stream=name, lines=new.lines, dropped=new.dropped, source=name))
