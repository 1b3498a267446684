"""A new file in a folder where programs may have left anything."""

import contextlib
import os
import stat
from pathlib import Path

__all__ = ["fresh_file"]

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC


def fresh_file(path: Path, mode: int = 0o666) -> int:
    """Return the descriptor of an empty file to be written; at once, since it is opened on the event loop.

    What has its name there goes away: a link would lead elsewhere, and a pipe keep us waiting. Only a device stays.

    Raises:
        OSError: when the system refuses, or somebody was faster.
    """
    exclusive = os.O_EXCL
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISCHR(os.lstat(path).st_mode):
            exclusive = os.O_NONBLOCK
        else:
            os.unlink(path)
    return os.open(path, _NEW | exclusive, mode)
