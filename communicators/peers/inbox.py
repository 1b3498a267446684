"""Messages that have come over a socket and were not read yet."""

import asyncio
from collections import deque
from dataclasses import dataclass

from ..messages import Message
from .credit import Credit
from .program_messages import Unreadable

__all__ = ["Arrival", "Inbox"]

_MOST_MESSAGES = 256
#: Of what the messages came in, memory files left out: those have a credit of their own.
_MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Arrival:
    """A message, or why it is skipped, and what it holds until it is taken."""

    message: Message | Unreadable
    #: Bytes that it came in.
    size: int = 0
    #: Who waits to hear that so much was taken.
    credit: Credit | None = None
    held: int = 0

    def taken(self) -> None:
        """Let the sender send more."""
        if self.credit is not None:
            self.credit.give_back(self.held)


class Inbox:
    """A queue that makes those who fill it wait, so that nothing is dropped and memory is bounded."""

    def __init__(self) -> None:
        self._arrivals: deque[tuple[Message, Arrival]] = deque()
        self._bytes = 0
        self._sequence = 0
        self._closed = False
        self._arrived = asyncio.Event()
        self._has_room = asyncio.Event()

    async def room(self) -> int:
        """Return how many messages may be put, once that is at least one."""
        while len(self._arrivals) >= _MOST_MESSAGES or self._bytes >= _MOST_BYTES:
            self._has_room.clear()
            await self._has_room.wait()
        return _MOST_MESSAGES - len(self._arrivals)

    def put(self, message: Message, arrival: Arrival) -> None:
        """Number a message and append it."""
        self._sequence += 1
        self._arrivals.append((message.model_copy(update={"sequence": self._sequence}), arrival))
        self._bytes += arrival.size
        self._arrived.set()

    async def take(self) -> Message | None:
        """Return the oldest message, once there is one; `None` when there is none and the inbox is closed."""
        while not self._arrivals:
            if self._closed:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        message, arrival = self._arrivals.popleft()
        self._bytes -= arrival.size
        self._has_room.set()
        arrival.taken()
        return message

    def close(self) -> None:
        """No more will come."""
        self._closed = True
        self._arrived.set()
