"""Progress of programs that say nothing, but whose output grows."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

from ..communicator import ProgramCommunicator
from ..messages import Message, Progress

__all__ = ["FileGrowthCommunicator"]

logger = logging.getLogger(__name__)

_MIB = 2**20


class FileGrowthCommunicator(ProgramCommunicator):
    """Reports the size of a file in MiB whenever it has changed, for as long as it is open, and once more at the end."""

    def __init__(self, path: Path, expected: Callable[[], int], interval_seconds: float) -> None:
        """Prepare to look at a file that need not exist yet.

        Args:
            path: the file.
            expected: returns the size in the end, in bytes, 0 when nobody knows; asked once, from a thread.
            interval_seconds: the pause between two looks.
        """
        self._path = path
        self._expected = expected
        self._interval = interval_seconds
        self._total: float | None = None
        self._size: int | None = None
        self._closed = asyncio.Event()
        self._over = False

    @property
    def last_output(self) -> float:
        """Never: a file that grows is not the program's word."""
        return 0.0

    async def open(self) -> None:
        """Nothing to make ready."""

    async def read(self) -> Message | None:
        """Return how large the file is, once that has changed; `None` after the end."""
        if self._total is None:
            self._total = await self._ask() / _MIB
        while not self._over:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._closed.wait()
            self._over = self._closed.is_set()
            if self._has_changed():
                done = (self._size or 0) / _MIB
                return Progress(done=done, total=self._total, unit="MiB", source="executor")
        return None

    async def write(self, message: Message) -> None:
        """Drop the message: a file listens to nothing."""

    async def wait_drained(self, timeout_seconds: float) -> None:
        """Wait for nothing: the file is as it is."""

    async def close(self) -> None:
        """Stop to look, after a last time."""
        self._closed.set()

    async def _ask(self) -> int:
        """Return the size in the end; 0 when the end comes before the answer."""
        asking = asyncio.create_task(asyncio.to_thread(self._answer))
        closing = asyncio.create_task(self._closed.wait())
        try:
            await asyncio.wait([asking, closing], return_when=asyncio.FIRST_COMPLETED)
            return asking.result() if asking.done() else 0
        finally:
            asking.cancel()
            closing.cancel()

    def _answer(self) -> int:
        try:
            return self._expected()
        except Exception:
            logger.exception("cannot tell how large %s will be", self._path, extra={"action": "expected_size_unknown"})
            return 0

    def _has_changed(self) -> bool:
        """Look at the file. On the loop: it lies beside the logs, so where this blocks they do as well."""
        try:
            size = os.stat(self._path).st_size
        except OSError:
            return False
        changed, self._size = size != self._size, size
        return changed
