"""How one connection to an Executor's socket speaks: in lines of JSON or in frames."""

from collections.abc import Sequence
from typing import Any, Protocol

from ..messages import Message
from .framing import FrameError, Outgoing
from .inbox import Arrival
from .program_messages import Refused

__all__ = ["Dialect", "Heard"]

#: What became of one piece; a refusal is the last one.
Heard = Arrival | FrameError | Refused


class Dialect(Protocol):
    """Cuts what comes into pieces on the event loop, and makes messages of them, which may take long, anywhere."""

    def feed(self, data: bytes, descriptors: list[int]) -> None:
        """Take the next bytes and the descriptors that came with them; no bytes are the end.

        Raises:
            Refused: when there may be none.
        """

    def take(self, most: int) -> Sequence[Any]:
        """Return the next pieces, at most so many; none when more bytes are needed.

        Raises:
            FrameError, Refused: when what has come is no piece and never will be.
        """

    def read(self, pieces: Sequence[Any]) -> list[Heard]:
        """Make messages of pieces. It never raises."""

    def is_light(self, pieces: Sequence[Any]) -> bool:
        """Whether reading them takes so little that the event loop may do it."""

    def encode(self, message: Message) -> Outgoing:
        """Return a message as this connection hears it.

        Raises:
            Exception: when its value cannot be said so.
        """

    def close(self) -> None:
        """Let go of what was not taken."""
