"""What a host and a process of its own say to each other: a length, then so many bytes of a pickle.

Both ends are ours and the socket is theirs alone, so objects may travel.
"""

import asyncio
import pickle
import struct
from typing import Any

__all__ = ["FrameLink"]

_LENGTH = struct.Struct(">Q")


class FrameLink:
    """One end of the line, on an event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak over a stream."""
        self._reader = reader
        self._writer = writer

    def send(self, *words: Any) -> None:
        """Send some words; what the other end takes slowly waits here. To nobody they are lost."""
        body = pickle.dumps(words, protocol=5)
        if not self._writer.is_closing():
            self._writer.write(_LENGTH.pack(len(body)) + body)

    async def receive(self) -> tuple[Any, ...] | None:
        """Return the next words, or `None` when the other end is gone."""
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            body = await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        words: tuple[Any, ...] = pickle.loads(body)  # noqa: S301 - see above
        return words

    def close(self) -> None:
        """Let go of the line, once what was said is on its way."""
        self._writer.close()

    def abort(self) -> None:
        """Let go of the line now; nothing more is heard."""
        self._writer.transport.abort()
