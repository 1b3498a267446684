"""Tasklets as Flower and other monitors see them: as Celery tasks of their own, children of their job."""

import contextlib
import logging
import queue
import threading
from itertools import groupby
from typing import Any

from celery import Celery

from ..tasklets import CELERY_PREFIX
from .tasklet_site import TaskletEvent

__all__ = ["TaskletEvents"]

logger = logging.getLogger(__name__)

#: How long an event may wait for others; Flower shows a tasklet this much later.
_GATHER_SECONDS = 0.05
#: Events that wait for a broker that is away; what comes then is left out.
_MOST_WAITING = 10_000


class TaskletEvents:
    """Publishes events from a thread of its own, which starts with the first one."""

    def __init__(self, app: Celery) -> None:
        """Publish to the app's broker."""
        self._app = app
        self._waiting: queue.Queue[TaskletEvent] = queue.Queue(_MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, event: TaskletEvent) -> None:
        """Have an event published soon; it neither blocks nor raises."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(event)
        with self._lock:
            if self._thread is None or not self._thread.is_alive():  # a fork takes none along
                self._thread = threading.Thread(target=self._publish, name="outrider-tasklet-events", daemon=True)
                self._thread.start()

    def flush(self, seconds: float) -> None:
        """Wait until all are published, but not longer than this."""
        waiting = threading.Thread(target=self._waiting.join, daemon=True)
        waiting.start()
        waiting.join(seconds)

    def _publish(self) -> None:
        pause = threading.Event()
        while True:
            events = [self._waiting.get()]
            pause.wait(_GATHER_SECONDS)
            with contextlib.suppress(queue.Empty):
                while True:
                    events.append(self._waiting.get_nowait())
            try:
                self._send(events)
            except Exception as error:  # noqa: BLE001 - monitors that see less disturb nobody
                logger.warning("cannot tell of tasklets: %s", error, extra={"action": "tasklets_untold"})
            for _ in events:
                self._waiting.task_done()

    def _send(self, events: list[TaskletEvent]) -> None:
        """Publish events, all of one worker in one message."""
        with self._app.amqp.producer_pool.acquire(block=True) as producer:
            for worker, its in groupby(events, lambda event: event.worker):
                channel, gathered = producer.channel, frozenset({"task"})
                dispatcher = self._app.events.Dispatcher(hostname=worker, channel=channel, buffer_group=gathered)
                for event in its:
                    dispatcher.send(f"task-{event.what}", **_fields(event))
                dispatcher.flush(errors=False)
                dispatcher.close()


def _fields(event: TaskletEvent) -> dict[str, Any]:
    """Return what an event says: each says all, so that a monitor that was started late knows the tasklet, too."""
    known = {
        "uuid": event.id,
        "name": CELERY_PREFIX + event.tasklet,
        "args": event.args,
        "kwargs": event.kwargs,
        "parent_id": event.job_id,
        "root_id": event.job_id,
        "retries": 0,
        "eta": None,
        "expires": None,
    }
    return known | event.facts
