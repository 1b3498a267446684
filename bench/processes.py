"""The processes of the benchmark: a Redis of its own, and the end of whatever was started."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from outrider.config import find_redis_server

__all__ = ["ProcessorMeter", "end_tree", "kill", "poll", "private_redis"]

_END_SECONDS = 10.0
_START_SECONDS = 10.0
#: How long the helpers of an ended process may take to notice.
_LINGER_SECONDS = 2.0


class ProcessorMeter:
    """What all others took of the processors since the meter was made: a benchmark beside a build is none."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._others = _others_seconds()

    def others_share(self) -> float:
        """Return the part of all processors' time that went to others, once all processes of ours have ended."""
        taken = _others_seconds() - self._others
        return max(taken, 0.0) / (time.monotonic() - self._begun) / (os.cpu_count() or 1)


def _others_seconds() -> float:
    """Return the processor seconds that were spent since boot, but not by this process and its ended children."""
    times, own = psutil.cpu_times(), os.times()
    busy = sum(times) - times.idle - times.iowait - times.guest - times.guest_nice
    return busy - sum(own[:4])


@contextlib.contextmanager
def private_redis(address: Path) -> Iterator[None]:
    """Run a redis-server on a Unix socket that keeps nothing on disk."""
    words = [find_redis_server(), "--port", "0", "--unixsocket", str(address), "--save", "", "--appendonly", "no"]
    words += ["--dir", str(address.parent), "--daemonize", "no"]
    server = psutil.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        poll(address.exists, _START_SECONDS, f"redis-server listens on {address}")
        yield
    finally:
        end_tree(server)


def poll(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: saying what did not come to hold.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s in vain until {what}")
        time.sleep(0.02)


def end_tree(process: psutil.Process) -> None:
    """End a process that we started by TERM, then by KILL; what is left of its descendants after that gets KILL."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [process, *process.children(recursive=True)]
        process.terminate()
        _, left = psutil.wait_procs([process], _END_SECONDS)
        if not left:
            _, left = psutil.wait_procs(family, _LINGER_SECONDS)
        kill(left or family)


def kill(processes: list[psutil.Process]) -> None:
    """Send KILL to processes, those that are gone already left out, and wait for their end."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, _END_SECONDS)
