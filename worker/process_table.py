"""What the kernel says about running processes (`proc(5)`), one look for all jobs of a worker."""

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ProcessTable", "Usage"]

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
_FRESH_SECONDS = 0.5


@dataclass(frozen=True)
class Usage:
    """What the processes of one session use together: resident bytes and CPU seconds."""

    rss: int = 0
    cpu_seconds: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.rss + other.rss, self.cpu_seconds + other.cpu_seconds)


class ProcessTable:
    """Answers for many jobs from one scan of `/proc`, made in a thread and kept for half a second."""

    def __init__(self) -> None:
        """Start without a scan."""
        self._sessions: dict[int, Usage] = {}
        self._taken = 0.0
        self._lock = asyncio.Lock()

    async def session(self, leader: int) -> Usage:
        """Return what the session of this process uses; nothing once it is gone."""
        async with self._lock:
            if time.monotonic() - self._taken > _FRESH_SECONDS:
                self._sessions = await asyncio.to_thread(_usage_by_session)
                self._taken = time.monotonic()
        return self._sessions.get(leader, Usage())


def _usage_by_session() -> dict[int, Usage]:
    sessions: dict[int, Usage] = {}
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            text = Path(entry.path, "stat").read_text(errors="replace")
        except OSError:
            continue  # it ended while we looked
        words = text.rpartition(")")[2].split()  # from field 3 on: the name before may hold anything
        session, user, system, pages = int(words[3]), int(words[11]), int(words[12]), int(words[21])
        sessions[session] = sessions.get(session, Usage()) + Usage(pages * _PAGE, (user + system) / _TICKS)
    return sessions
