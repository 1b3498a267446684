"""Find and kill what carries a cookie in its environment, whatever session or parent it fled to.

The standard library alone: the guardian runs this file as a script, without the package and without site-packages.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Collection

__all__ = ["ATTEMPT_COOKIE", "WORKER_COOKIE", "cookies_of", "kill_all"]

#: The variables by which the descendants of a program are known: of which attempt, and of which worker process.
ATTEMPT_COOKIE = "OUTRIDER_ATTEMPT"
WORKER_COOKIE = "OUTRIDER_WORKER"

_ROUND_SECONDS = 0.02


def cookies_of(pid: int) -> tuple[str, str]:
    """Return the worker and the attempt of a process, empty where it has none or is not ours to look at."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            variables = dict(word.partition(b"=")[::2] for word in file.read().split(b"\0"))
    except OSError:
        return "", ""
    found = (variables.get(os.fsencode(name), b"") for name in (WORKER_COOKIE, ATTEMPT_COOKIE))
    worker, attempt = (value.decode(errors="replace") for value in found)
    return worker, attempt


def kill_all(worker_id: str, attempts: Collection[str] | None = None, seconds: float = 5.0) -> int:
    """Kill a worker's processes, all or those of some attempts, until none is left; return how many were killed.

    What forks meanwhile is found in the next round. A process stuck in the kernel cannot be killed; after `seconds` it is
    left alone.
    """
    killed: set[int] = set()
    deadline = time.monotonic() + seconds
    while True:
        found = [int(name) for name in os.listdir("/proc") if name.isdigit() and _is_of(int(name), worker_id, attempts)]
        killed.update(pid for pid in found if _kill(pid, worker_id, attempts))
        if not found or time.monotonic() > deadline:
            return len(killed)
        time.sleep(_ROUND_SECONDS)


def _is_of(pid: int, worker_id: str, attempts: Collection[str] | None) -> bool:
    worker, attempt = cookies_of(pid)
    return worker == worker_id and pid != os.getpid() and (attempts is None or attempt in attempts)


def _kill(pid: int, worker_id: str, attempts: Collection[str] | None) -> bool:
    """Kill a process, and no other that got its number meanwhile: look again with the process held by its pidfd."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if not _is_of(pid, worker_id, attempts):
            return False
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    except ProcessLookupError:
        return False
    finally:
        os.close(pidfd)
    return True


if __name__ == "__main__":
    kill_all(sys.argv[1], seconds=30.0)
    shutil.rmtree(sys.argv[2], ignore_errors=True)
