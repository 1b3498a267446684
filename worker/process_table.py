"""What the kernel says about running processes (`proc(5)`), one look for all jobs of a worker."""

import asyncio
import os
import time
from dataclasses import dataclass

from .sweep import cookies_of

__all__ = ["ProcessTable", "Usage"]

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
#: A look is good for so long.
_FRESH_SECONDS = 0.2


@dataclass(frozen=True)
class Usage:
    """What the processes of one job use together: resident bytes and CPU seconds. `pids` names them."""

    rss: int = 0
    cpu_seconds: float = 0.0
    pids: tuple[int, ...] = ()

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.rss + other.rss, self.cpu_seconds + other.cpu_seconds, self.pids + other.pids)


class ProcessTable:
    """Answers for many jobs from one scan of `/proc`, made in a thread and kept for a moment.

    A process belongs to the job whose cookie it was started with, so one that fled its session still counts.
    """

    def __init__(self, worker_id: str) -> None:
        """Look at what carries this worker's cookie."""
        self._worker_id = worker_id
        self._jobs: dict[str, Usage] = {}
        #: The job of each process by its id and start time: an environment is read once.
        self._job_of: dict[tuple[int, int], str] = {}
        self._taken = 0.0
        self._lock = asyncio.Lock()

    async def of_job(self, job_id: str, *, fresh: bool = False) -> Usage:
        """Return what a job's processes use; nothing once they are gone."""
        async with self._lock:
            if fresh or time.monotonic() - self._taken > _FRESH_SECONDS:
                self._jobs = await asyncio.to_thread(self._scan)
                self._taken = time.monotonic()
        return self._jobs.get(job_id, Usage())

    def _scan(self) -> dict[str, Usage]:
        jobs: dict[str, Usage] = {}
        seen: dict[tuple[int, int], str] = {}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                with open(f"/proc/{name}/stat", errors="replace") as file:
                    words = file.read().rpartition(")")[2].split()  # from field 3 on: the name may hold anything
            except OSError:
                continue  # it ended while we looked
            key = (int(name), int(words[19]))
            job_id = self._job_of.get(key)
            if job_id is None:
                worker, job_id = cookies_of(key[0])
                job_id = job_id if worker == self._worker_id else ""
            if job_id or words[0] != "Z":
                seen[key] = job_id
            if job_id:
                used = Usage(int(words[21]) * _PAGE, (int(words[11]) + int(words[12])) / _TICKS, (key[0],))
                jobs[job_id] = jobs.get(job_id, Usage()) + used
        self._job_of = seen
        return jobs
