"""Bytes on a Unix socket together with open files (`SCM_RIGHTS` of unix(7))."""

import os
import socket
from collections.abc import Iterable

from .framing import FrameError

__all__ = ["close_all", "receive_with_descriptors", "send_with_descriptor"]

#: One more than a frame may have, to see that there were too many.
_MOST_DESCRIPTORS = 2


def receive_with_descriptors(connection: socket.socket, size: int) -> tuple[bytes, list[int]]:
    """Receive at most so many bytes, and the descriptors that came with them; the caller closes those.

    Descriptors come with the first byte that they were sent with, and the kernel ends a read behind what brought some.

    Raises:
        FrameError: when there were more descriptors than any frame has, or than we may open. All are closed.
        OSError: as `recvmsg` does.
    """
    data, descriptors, flags, _ = socket.recv_fds(connection, size, _MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
    if flags & socket.MSG_CTRUNC:
        close_all(descriptors)
        raise FrameError("descriptors have come that cannot be taken")
    return data, descriptors


def send_with_descriptor(connection: socket.socket, data: memoryview, descriptor: int | None) -> int:
    """Send some of the bytes, and a descriptor with the first of them; return how many were sent.

    Raises:
        OSError: as `sendmsg` does.
    """
    if descriptor is None:
        return connection.send(data)
    return socket.send_fds(connection, [data], [descriptor])


def close_all(descriptors: Iterable[int]) -> None:
    """Close descriptors that nobody wants."""
    for descriptor in descriptors:
        os.close(descriptor)
