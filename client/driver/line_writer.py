"""Lines on their way out: a driver that does not read holds up nothing, and is told what it cannot do without."""

import asyncio
import contextlib
import logging
import os
import select
import threading
from collections import deque
from collections.abc import Callable

from .protocol import Answer, ErrorLine

__all__ = ["LineWriter"]

logger = logging.getLogger(__name__)

#: Lines that nobody asked for and that may wait; beyond that, the oldest make room.
_MOST_NEWS = 1_000
#: Other lines that may wait before no more requests are taken.
_MOST_ANSWERS = 10_000
#: Lines that are written at once.
_BATCH = 64


class LineWriter:
    """Writes in a thread. All methods are for the event loop that it was made on."""

    def __init__(self, descriptor: int) -> None:
        """Begin to write to an open file."""
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        #: Is set once nobody can read what we write.
        self.broken = asyncio.Event()
        #: How many lines have made room.
        self.dropped = 0
        self._lock = threading.Lock()
        #: Lines with their numbers: those that are due, and those that may make room.
        self._answers: deque[tuple[int, Answer]] = deque()
        self._news: deque[tuple[int, Answer]] = deque()
        self._number = 0
        self._being_written = 0
        self._written = asyncio.Event()
        self._closing = False
        self._bell = os.eventfd(0, os.EFD_CLOEXEC)
        threading.Thread(target=self._run, name="answers", daemon=True).start()

    def answer(self, line: Answer) -> None:
        """Have a line written, however long that takes."""
        self._put(self._answers, line)

    def tell(self, line: Answer) -> None:
        """Have a line written that may make room for newer ones."""
        self._put(self._news, line)

    async def room(self) -> None:
        """Wait until the driver has read so much that it may ask for more."""
        while len(self._answers) >= _MOST_ANSWERS and not self.broken.is_set():
            await self._progress()

    async def flush(self) -> None:
        """Wait until everything is written, or nobody reads any more."""
        while (self._answers or self._news or self._being_written) and not self.broken.is_set():
            await self._progress()

    def close(self) -> None:
        """Let go of the file once everything is written; call nothing more."""
        self._closing = True
        os.eventfd_write(self._bell, 1)

    async def _progress(self) -> None:
        self._written.clear()
        await self._written.wait()

    def _put(self, lines: deque[tuple[int, Answer]], line: Answer) -> None:
        if self.broken.is_set():
            return
        with self._lock:
            self._number += 1
            lines.append((self._number, line))
            if len(self._news) > _MOST_NEWS:
                self._news.popleft()
                self.dropped += 1
        os.eventfd_write(self._bell, 1)

    def _run(self) -> None:
        """Write what there is, and notice when the other end is closed though there is nothing to write."""
        poller = select.poll()
        poller.register(self._bell, select.POLLIN)
        poller.register(self._descriptor, 0)
        try:
            while self._descriptor not in dict(poller.poll()):
                os.eventfd_read(self._bell)
                self._write_all()
                if self._closing:
                    os.close(self._descriptor)
                    return
        except OSError as error:
            logger.info("cannot write: %s", error, extra={"action": "answers_unwritable"})
        self._on_loop(self._break)

    def _write_all(self) -> None:
        while batch := self._next_batch():
            self._write(b"".join(map(_encoded, batch)))
            self._being_written = 0
            self._on_loop(self._written.set)

    def _next_batch(self) -> list[Answer]:
        batch: list[Answer] = []
        with self._lock:
            while len(batch) < _BATCH and (waiting := [lines for lines in (self._answers, self._news) if lines]):
                first = min(waiting, key=lambda lines: lines[0][0])
                batch.append(first.popleft()[1])
            self._being_written = len(batch)
        return batch

    def _write(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # whoever shares the file has made it so
                select.select([], [self._descriptor], [])

    def _break(self) -> None:
        self.broken.set()
        self._written.set()

    def _on_loop(self, call: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits
            self._loop.call_soon_threadsafe(call)


def _encoded(line: Answer) -> bytes:
    try:
        return line.to_line()
    except Exception as error:  # a line that cannot be written must not keep others from it
        logger.exception("a line cannot be written", extra={"action": "line_unwritable"})
        return ErrorLine.of(error, line.ref, getattr(line, "job", None)).to_line()
