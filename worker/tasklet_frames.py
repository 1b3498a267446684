"""What the pool and a runner of tasklets say to each other: four bytes of length, big-endian, then so many of JSON.

An empty frame is a sign: the runner is ready, it has begun a call, or the pool wants the call to stop. Whose turn it is
says which.
"""

import socket
import struct

__all__ = ["MOST_BYTES", "SIGN", "FrameSplitter", "encode_frame", "receive_frame"]

#: The most that one frame may hold.
MOST_BYTES = 16 * 1024 * 1024
#: A frame that holds nothing.
SIGN = b""

_LENGTH = struct.Struct(">I")


def encode_frame(body: bytes) -> bytes:
    """Return a frame.

    Raises:
        ValueError: when it would be too large.
    """
    _check(len(body))
    return _LENGTH.pack(len(body)) + body


def receive_frame(connection: socket.socket) -> bytes | None:
    """Wait for a frame and return what it holds; `None` when the other end is gone."""
    head = _receive(connection, _LENGTH.size)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    _check(length)
    return _receive(connection, length)


class FrameSplitter:
    """Makes frames of bytes as they come."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Take what has come and return the frames that are complete now.

        Raises:
            ValueError: when a frame is too large.
        """
        self._buffer += data
        frames = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            _check(length)
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            frames.append(bytes(self._buffer[_LENGTH.size : end]))
            del self._buffer[:end]
        return frames


def _receive(connection: socket.socket, length: int) -> bytes | None:
    data = bytearray()
    while len(data) < length:
        try:
            part = connection.recv(length - len(data))
        except ConnectionError:
            return None
        if not part:
            return None
        data += part
    return bytes(data)


def _check(length: int) -> None:
    if length > MOST_BYTES:
        raise ValueError(f"{length} bytes are too many for a frame; {MOST_BYTES} are the most")
