"""The row about what a running job adds to its worker's memory."""

import time

import psutil
from lab import Lab, Side
from processes import kill, poll
from table import Aim, Row

__all__ = ["memory"]

#: Long enough for the first heartbeat of every job, which takes memory of its own.
_SETTLE_SECONDS = 3.0
_START_SECONDS = 60.0


def memory(lab: Lab) -> list[Row]:
    """Compare the worker before and while 200 programs sleep, the programs themselves left out.

    By RSS and not by PSS: the programs share the C library's pages with the worker, and PSS would book that as a gain.
    """
    jobs = lab.scaled(200, 100)
    ((ours, plain),) = lab.rounds(lambda side: _kilobytes_per_job(lab, side, jobs), 1)
    name, aim = f"worker's memory per running job, {jobs} sleeps", Aim.at_most(300, "KB")
    return [Row(name=name, unit="KB", ours=ours, plain=plain, compared=ours, compared_as="KB", aim=aim)]


def _kilobytes_per_job(lab: Lab, side: Side, jobs: int) -> float:
    with lab.worker(side, jobs) as worker:
        lab.seconds(side, "latency", 2)
        idle = _resident_bytes(worker)
        lab.seconds(side, "naps", jobs)
        try:
            poll(lambda: len(_naps(worker)) == jobs, _START_SECONDS, f"{jobs} programs sleep")
            time.sleep(_SETTLE_SECONDS)
            return (_resident_bytes(worker) - idle) / jobs / 1000
        finally:
            kill(_naps(worker))


def _naps(worker: psutil.Process) -> list[psutil.Process]:
    return [process for process in worker.children(recursive=True) if _is_nap(process)]


def _resident_bytes(worker: psutil.Process) -> int:
    """Return what the worker and its own helpers hold, such as the children of a prefork pool."""
    own = [worker, *(process for process in worker.children(recursive=True) if not _is_nap(process))]
    return sum(process.memory_info().rss for process in own)


def _is_nap(process: psutil.Process) -> bool:
    return process.name() == "sleep"
