"""From what a socket gives, in pieces of any size, to whole frames."""

import os
from collections import deque
from collections.abc import Iterable

from .framing import Frame, FrameError, Header

__all__ = ["FrameReader"]


class FrameReader:
    """Takes bytes and descriptors as they come and gives frames. Its memory is bounded by that of one frame."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._descriptors: deque[int] = deque()
        self._header: Header | None = None

    def feed(self, data: bytes, descriptors: Iterable[int] = ()) -> None:
        """Take the next bytes and what came with them."""
        self._pending += data
        self._descriptors.extend(descriptors)

    def take(self) -> Frame | None:
        """Return the next frame if all of it is there.

        Raises:
            FrameError: when what has come is not a frame, exceeds a bound, or has other descriptors than it says.
        """
        header = self._header = self._header or Header.decode(self._pending)
        end = header.length + (0 if header.attached else header.layout.size) if header else 0
        if header is None or len(self._pending) < end:
            self._check_descriptors(header)
            return None
        if header.attached and not self._descriptors:
            raise FrameError("a frame came without its descriptor")
        payload = self._pending[header.length : end]
        del self._pending[:end]
        self._header = None
        return Frame(header, payload, self._descriptors.popleft() if header.attached else None)

    @property
    def is_within_frame(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._pending)

    def close(self) -> None:
        """Let go of the descriptors that belong to no frame."""
        while self._descriptors:
            os.close(self._descriptors.popleft())

    def _check_descriptors(self, header: Header | None) -> None:
        """What waits for more bytes has begun, so its descriptor is there, and that of no other frame."""
        may_have = self._pending if header is None else header.attached
        if len(self._descriptors) > (1 if may_have else 0):
            raise FrameError("more descriptors have come than frames that have one")
