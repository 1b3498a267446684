"""The files that a program has in place of pipes as its standard streams."""

import errno
import os
import stat
from pathlib import Path

__all__ = ["opened_input"]


def opened_input(path: Path) -> int:
    """Return the descriptor of a file to be read; at once, since it is opened on the event loop.

    Raises:
        OSError: when the system refuses, or it is a pipe by now, which would keep us waiting.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is a pipe, not a file", str(path))
    os.set_blocking(descriptor, True)
    return descriptor
