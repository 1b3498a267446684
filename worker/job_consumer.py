"""Celery's consumer, thriftier with task events: what many jobs say within a moment is published at once."""

import time

from celery.worker.consumer import Consumer

__all__ = ["JobConsumer"]

#: How long an event may wait for others; Flower shows a job this much later.
_GATHER_SECONDS = 0.05


class JobConsumer(Consumer):
    """Gathers task events (`worker_consumer` in Celery's configuration)."""

    _due = 0.0

    def on_send_event_buffered(self) -> None:
        """Plan to publish what is gathered. Called from any thread; only the hub's own may touch its timer."""
        now = time.monotonic()
        if self.hub and now >= self._due:
            self._due = now + _GATHER_SECONDS
            self.hub.call_soon(self.hub.call_later, _GATHER_SECONDS, self._flush_events)
