"""The end of what a process printed."""

import os

__all__ = ["Tail", "read_available"]

_BLOCK = 64 * 1024


class Tail:
    """Keeps the last bytes of many."""

    def __init__(self, most: int) -> None:
        """Keep `most` bytes."""
        self._most = most
        self._kept = bytearray()

    def add(self, data: bytes) -> None:
        """Append bytes, and forget older ones."""
        self._kept += data
        if len(self._kept) > 2 * self._most:
            del self._kept[: -self._most]

    @property
    def text(self) -> str:
        """What was kept; what is no UTF-8 in it is replaced."""
        return bytes(self._kept[-self._most :]).decode(errors="replace")


def read_available(descriptor: int) -> bytes | None:
    """Return what a non-blocking pipe or socket holds: nothing when there is nothing yet, `None` at its end."""
    try:
        return os.read(descriptor, _BLOCK) or None
    except BlockingIOError:
        return b""
    except ConnectionError:
        return None
