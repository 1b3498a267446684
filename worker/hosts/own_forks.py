"""What a function has started and left behind, without a cookie: forks, whatever group or session they fled to."""

import contextlib
import os
import signal
import time
from collections.abc import Collection
from pathlib import Path

__all__ = ["children", "kill_children_but"]

_ROUND_SECONDS = 0.002
#: A process that is stuck in the kernel is left alone after so long.
_LONGEST_SECONDS = 2.0


def children() -> set[int]:
    """Return our children, by `/proc/PID/task/TID/children` (proc(5)); with `adopt_orphans`, theirs become ours."""
    found: set[int] = set()
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            found.update(map(int, (thread / "children").read_text().split()))
    return found


def kill_children_but(others: Collection[int]) -> None:
    """Kill and collect all children but some, and those that become ours thereby. Blocks."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    while (left := children().difference(others)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, os.WNOHANG)
        time.sleep(_ROUND_SECONDS)
