"""What a function has forked and left behind: forks carry no cookie of their own, but are in our process group."""

import contextlib
import os
import signal
from pathlib import Path

__all__ = ["kill_forks"]


def kill_forks() -> None:
    """Kill all others of our process group, if there are any; cheap when no child of ours is one."""
    if any(map(_is_ours, _children())):
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) != os.getpid() and _is_ours(int(name)):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(int(name), signal.SIGKILL)


def _children() -> list[int]:
    """Return our children, by `/proc/PID/task/TID/children` (proc(5))."""
    found: list[int] = []
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            found += map(int, (thread / "children").read_text().split())
    return found


def _is_ours(pid: int) -> bool:
    try:
        return os.getpgid(pid) == os.getpgrp()
    except ProcessLookupError:
        return False
