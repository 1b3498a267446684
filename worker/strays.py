"""What a process leaves behind, found without a cookie: the kernel gives orphans to an ancestor that asked for them.

Linux: `PR_SET_CHILD_SUBREAPER` and `PR_SET_PDEATHSIG` of prctl(2).
"""

import contextlib
import ctypes
import os
import signal
import time

__all__ = ["adopt_orphans", "die_with_parent", "kill_children"]

_PDEATHSIG = 1
_CHILD_SUBREAPER = 36
_ROUND_SECONDS = 0.002


def adopt_orphans() -> None:
    """Become the parent of all descendants whose own parent ends, whatever session they fled to."""
    _prctl(_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """Be killed when the parent ends, whose only thread forked us; be gone at once if it has ended already."""
    _prctl(_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def kill_children(seconds: float = 5.0) -> bool:
    """Kill and collect children, and with `adopt_orphans` theirs, until none is left; return whether that worked."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0]:
                continue
        except ChildProcessError:
            return True
        if time.monotonic() > deadline:  # stuck in the kernel, or faster than we are
            return False
        for pid in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)  # nobody gets its number before we have collected it
        time.sleep(_ROUND_SECONDS)


def _children() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and _parent_of(name) == os.getpid()]


def _parent_of(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except OSError:  # it ended while we looked
        return 0


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")
