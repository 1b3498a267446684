"""Which process runs a first-party task, when what was started is a wrapper around it."""

from itertools import pairwise
from pathlib import Path

from .sweep import cookies_of

__all__ = ["MODULE", "runs_own_task"]

#: What a Python is started with that runs a first-party task: `-m`, and this.
MODULE = "outrider.worker.first_party"

#: The place of the parent's id in `/proc/PID/stat` (proc(5)) behind the command's name, which may hold anything.
_PARENT = 1


def runs_own_task(pid: int, started: int, attempt: str) -> bool:
    """Say whether a process runs the first-party task of an attempt.

    Its command line says that it runs one, and it descends from the process that was started or carries the attempt's
    cookie. Both can be forged by whoever runs as our user, and he needs no forgery to do as he likes.
    """
    return _runs_a_task(pid) and (cookies_of(pid)[1] == attempt or _descends(pid, started))


def _runs_a_task(pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return (b"-m", MODULE.encode()) in pairwise(words)


def _descends(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[_PARENT])
        except OSError:
            return False
    return False
