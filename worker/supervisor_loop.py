"""One event loop per worker process; it carries out all jobs of the process, however many slots there are."""

import asyncio
import logging
import os
import threading
from collections.abc import Coroutine, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

__all__ = ["SupervisorLoop"]

T = TypeVar("T")

#: For what blocks: file systems, hashes, the code of tasks. They are started as they are needed.
_THREADS = 64
logger = logging.getLogger(__name__)


class SupervisorLoop:
    """An event loop in a thread of its own, started when it is first needed, and anew in a forked child."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = 0
        self._lock = threading.Lock()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> "Future[T]":
        """Run a coroutine on the loop; call from any other thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._running_loop())

    def stop(self) -> None:
        """End the loop, and so its thread; what still runs on it is cancelled."""
        if self._loop is not None and self._pid == os.getpid():
            self._loop.call_soon_threadsafe(self._loop.stop)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._pid != os.getpid():
                self._loop, self._pid = asyncio.new_event_loop(), os.getpid()
                threading.Thread(target=_run, args=(self._loop,), name="outrider-supervisor", daemon=True).start()
            return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Run a loop until it is stopped, and leave nothing of it."""
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="outrider")
    loop.set_default_executor(threads)
    loop.run_forever()
    loop.run_until_complete(_cancel(asyncio.all_tasks(loop)))
    threads.shutdown(wait=False, cancel_futures=True)
    loop.close()


async def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
