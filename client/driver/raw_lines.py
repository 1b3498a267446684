"""Lines as they come in, of whatever bytes; none takes more memory than a request may."""

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass

__all__ = ["MOST_BYTES", "LineReader", "LineSplitter", "RawLine"]

logger = logging.getLogger(__name__)

#: A longer line is refused.
MOST_BYTES = 2**20
_CHUNK_BYTES = 2**16
#: Chunks that may be read ahead of what is being answered.
_MOST_AHEAD = 2


@dataclass(frozen=True)
class RawLine:
    """One line without its end, and its number, from 1; of one that is too long, nothing."""

    number: int
    content: bytes
    is_whole: bool = True


class LineSplitter:
    """Cuts bytes into lines, however they are cut already. Blank lines count, but are passed over."""

    def __init__(self) -> None:
        """Begin with the first line."""
        self._parts: list[bytes] = []
        self._size = 0
        self._number = 0

    def feed(self, chunk: bytes) -> list[RawLine]:
        """Take more bytes, and return the lines that they end."""
        *ended, rest = chunk.split(b"\n")
        lines: list[RawLine] = []
        for part in ended:
            self._add(part)
            lines += self.end()
        self._add(rest)
        return lines

    def end(self) -> list[RawLine]:
        """End the line that was begun, and return it unless it is blank."""
        content, size = b"".join(self._parts), self._size
        self._parts, self._size = [], 0
        self._number += 1
        if size > MOST_BYTES:
            return [RawLine(self._number, b"", is_whole=False)]
        return [RawLine(self._number, content)] if content.strip() else []

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size <= MOST_BYTES:
            self._parts.append(part)
        else:
            self._parts.clear()


class LineReader:
    """Reads in a thread, so any file will do; while nobody takes its lines, it reads no more."""

    def __init__(self, descriptor: int) -> None:
        """Prepare to read from an open file, on the running event loop."""
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._batches: asyncio.Queue[list[RawLine] | None] = asyncio.Queue()
        self._room = threading.Semaphore(_MOST_AHEAD)

    async def lines(self) -> AsyncIterator[RawLine]:
        """Yield the lines, until the end of the file."""
        threading.Thread(target=self._read, name="requests", daemon=True).start()
        while (batch := await self._batches.get()) is not None:
            for line in batch:
                yield line
            self._room.release()

    def _read(self) -> None:
        """Hand over lines; a loop that is closed wants none any more."""
        splitter = LineSplitter()
        try:
            while chunk := self._chunk():
                self._hand_over(splitter.feed(chunk))
            self._hand_over(splitter.end())
            self._loop.call_soon_threadsafe(self._batches.put_nowait, None)
        except RuntimeError:
            return

    def _chunk(self) -> bytes:
        try:
            return os.read(self._descriptor, _CHUNK_BYTES)
        except OSError as error:
            logger.warning("cannot read requests: %s", error, extra={"action": "requests_unreadable"})
            return b""

    def _hand_over(self, batch: list[RawLine]) -> None:
        if batch:
            self._room.acquire()
            self._loop.call_soon_threadsafe(self._batches.put_nowait, batch)
