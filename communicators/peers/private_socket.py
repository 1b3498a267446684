"""A Unix socket that nobody but its owner can reach."""

import contextlib
import os
import socket
import stat
import struct
from pathlib import Path
from typing import NamedTuple

from ...config.errors import CannotRun

__all__ = ["Credentials", "credentials_of", "open_private_socket"]

#: `sun_path` of unix(7), the final NUL left out.
_LONGEST_PATH = 107
#: Programs that connect at the same time; more of them wait.
_BACKLOG = 512
_UCRED = struct.Struct("3i")


class Credentials(NamedTuple):
    """Who was at the other end when it connected, as the kernel says."""

    pid: int
    uid: int


def open_private_socket(path: Path) -> socket.socket:
    """Return a socket that listens at a path, mode 0600, in a directory of mode 0700 that is made if need be.

    Raises:
        CannotRun: when the path is too long or in use, or others can enter the directory.
    """
    if (length := len(os.fsencode(path))) > _LONGEST_PATH:
        raise _refusal(path, f"the path has {length} bytes; {_LONGEST_PATH} are the most that a socket's may have")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        _make_directories(path.parent)
        _check_directory(path)
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _refusal(path, error.strerror or str(error)) from error
    except BaseException:
        listener.close()
        raise
    return listener


def credentials_of(connection: socket.socket) -> Credentials:
    """Return who connected."""
    pid, uid, _ = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return Credentials(pid, uid)


def _make_directories(directory: Path) -> None:
    """Make what is missing, each level for us alone: of the levels above, `Path.mkdir` would let others in."""
    for level in reversed((directory, *directory.parents)):
        if not os.path.lexists(level):
            with contextlib.suppress(FileExistsError):
                level.mkdir(mode=0o700)


def _check_directory(path: Path) -> None:
    facts = path.parent.lstat()
    if not stat.S_ISDIR(facts.st_mode):
        raise _refusal(path, f"{path.parent} is no directory")
    if facts.st_uid != os.geteuid():
        raise _refusal(path, f"{path.parent} belongs to user {facts.st_uid}, not to {os.geteuid()}")
    mode = stat.S_IMODE(facts.st_mode)
    if mode & 0o077:
        raise _refusal(path, f"others may enter {path.parent} (mode {mode:o}): chmod it to 700")


def _refusal(path: Path, reason: str) -> CannotRun:
    return CannotRun("environment", f"cannot open the socket {path}: {reason}")
