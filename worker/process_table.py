"""What the kernel says about running processes (`proc(5)`), one look for all jobs of a worker."""

import asyncio
import contextlib
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
    """What the processes of one attempt use together: resident bytes and CPU seconds. `pids` names them."""

    rss: int = 0
    cpu_seconds: float = 0.0
    pids: tuple[int, ...] = ()

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.rss + other.rss, self.cpu_seconds + other.cpu_seconds, self.pids + other.pids)


class ProcessTable:
    """Answers for many jobs from one scan of `/proc`, made in a thread and kept for a moment.

    A process belongs to the attempt whose cookie it was started with, so one that fled its session still counts.
    """

    def __init__(self, worker_id: str) -> None:
        """Look at what carries this worker's cookie."""
        self._worker_id = worker_id
        self._attempts: dict[str, Usage] = {}
        #: The attempt of each process by its id and start time: an environment is read once.
        self._attempt_of: dict[tuple[int, int], str] = {}
        self._taken = 0.0
        self._lock = asyncio.Lock()

    async def of_attempt(self, attempt: str, *, fresh: bool = False) -> Usage:
        """Return what an attempt's processes use; nothing once they are gone."""
        async with self._lock:
            if fresh or time.monotonic() - self._taken > _FRESH_SECONDS:
                with contextlib.suppress(OSError):  # no file descriptor left, say: what was seen last is good enough
                    self._attempts = await asyncio.to_thread(self._scan)
                self._taken = time.monotonic()
        return self._attempts.get(attempt, Usage())

    def _scan(self) -> dict[str, Usage]:
        attempts: dict[str, Usage] = {}
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
            attempt = self._attempt_of.get(key)
            if attempt is None:
                worker, attempt = cookies_of(key[0])
                attempt = attempt if worker == self._worker_id else ""
            if attempt or words[0] != "Z":
                seen[key] = attempt
            if attempt:
                used = Usage(int(words[21]) * _PAGE, (int(words[11]) + int(words[12])) / _TICKS, (key[0],))
                attempts[attempt] = attempts.get(attempt, Usage()) + used
        self._attempt_of = seen
        return attempts
