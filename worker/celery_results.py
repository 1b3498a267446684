"""Results of Celery tasks, awaited on an event loop: one thread asks for all of them."""

import asyncio
import contextlib
import logging
import threading
import time
from typing import Any

from celery import Celery
from celery.states import READY_STATES

__all__ = ["CeleryResults"]

logger = logging.getLogger(__name__)

#: How often is asked: soon after the last was sent, and later.
_SOON_SECONDS, _LATER_SECONDS = 0.01, 0.25
#: How long it is soon.
_SOON = 2.0


class CeleryResults:
    """Waits for tasks by their ids. The thread lives as long as somebody waits."""

    def __init__(self, app: Celery) -> None:
        """Ask the app's result backend."""
        self._app = app
        self._lock = threading.Lock()
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._sent = 0.0
        self._asking = False

    async def wait(self, task_id: str) -> dict[str, Any]:
        """Return what the backend holds of a task, once that has ended."""
        ended: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._waiting[task_id] = ended
            self._sent = time.monotonic()
            if not self._asking:
                self._asking = True
                threading.Thread(target=self._ask, name="outrider-celery-results", daemon=True).start()
        try:
            return await ended
        finally:
            with self._lock:
                self._waiting.pop(task_id, None)

    def _ask(self) -> None:
        while True:
            with self._lock:
                waiting = dict(self._waiting)
                self._asking = bool(waiting)
            if not waiting:
                return
            try:
                self._look(waiting)
            except Exception as error:  # noqa: BLE001 - whoever waits has a limit
                facts = {"action": "results_unknown"}
                logger.warning("cannot ask for the results of tasklets: %s", error, extra=facts)
            time.sleep(_SOON_SECONDS if time.monotonic() - self._sent < _SOON else _LATER_SECONDS)

    def _look(self, waiting: dict[str, "asyncio.Future[dict[str, Any]]"]) -> None:
        backend: Any = self._app.backend
        answers = backend.mget([backend.get_key_for_task(task_id) for task_id in waiting])
        for (task_id, ended), content in zip(waiting.items(), answers, strict=True):
            if content is None:
                continue
            meta = backend.decode_result(content)
            if meta.get("status") in READY_STATES:
                with self._lock:
                    self._waiting.pop(task_id, None)
                ended.get_loop().call_soon_threadsafe(_settle, ended, meta)


def _settle(ended: "asyncio.Future[dict[str, Any]]", meta: dict[str, Any]) -> None:
    with contextlib.suppress(asyncio.InvalidStateError):  # nobody waits any more
        ended.set_result(meta)
