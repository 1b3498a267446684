"""The messages of one job of this process, the newest of them."""

import asyncio
from collections import deque
from collections.abc import Iterator

from .messages import Message

__all__ = ["MemoryStream"]


class MemoryStream:
    """Messages with numbers from 0; the oldest make room when there are too many."""

    def __init__(self, most: int | None = None) -> None:
        """Keep `most` messages, or all."""
        self._kept: deque[Message] = deque(maxlen=most)
        #: How many there have been.
        self.count = 0
        self._news: asyncio.Event | None = None

    def append(self, message: Message) -> None:
        """Add a message, and wake those who wait for it."""
        self._kept.append(message)
        self.count += 1
        if self._news is not None:
            self._news.set()
            self._news = None

    async def from_number(self, number: int) -> tuple[int, Message]:
        """Return the message with this number, once there is one, or the oldest that is left behind it."""
        while number >= self.count:
            if self._news is None:
                self._news = asyncio.Event()
            await self._news.wait()
        first = self.count - len(self._kept)
        number = max(number, first)
        return number, self._kept[number - first]

    def shorten(self) -> None:
        """Keep the newest message alone."""
        while len(self._kept) > 1:
            self._kept.popleft()

    def __getitem__(self, index: int) -> Message:
        return self._kept[index]

    def __iter__(self) -> Iterator[Message]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)
