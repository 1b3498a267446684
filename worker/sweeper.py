"""After a program: whatever of it fled from its group."""

import asyncio
from typing import Any

from .sweep import kill_all

__all__ = ["Sweeper"]

#: Ends without hurry are gathered for so long, so that a scan of `/proc` serves many jobs.
_GATHER_SECONDS = 0.25


class Sweeper:
    """Sweeps by cookie for all attempts of a worker process, one scan at a time, in a thread."""

    def __init__(self, worker_id: str) -> None:
        """Sweep what carries this worker's cookie."""
        self._worker_id = worker_id
        self._lock = asyncio.Lock()
        self._gathered: set[str] = set()
        self._later: asyncio.Task[Any] | None = None

    async def sweep(self, attempt: str) -> None:
        """Kill what is left of an attempt's program now, and return when nothing is."""
        async with self._lock:
            await asyncio.to_thread(kill_all, self._worker_id, {attempt})

    def sweep_later(self, attempt: str) -> None:
        """Kill what is left of an attempt's program soon, together with that of others."""
        self._gathered.add(attempt)
        if self._later is None or self._later.done():
            self._later = asyncio.create_task(self._sweep_gathered())

    async def _sweep_gathered(self) -> None:
        while self._gathered:
            await asyncio.sleep(_GATHER_SECONDS)
            attempts, self._gathered = self._gathered, set()
            async with self._lock:
                await asyncio.to_thread(kill_all, self._worker_id, attempts)
