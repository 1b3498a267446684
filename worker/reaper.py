"""Giving lost jobs to those who live: a part of every worker's consumer, moved by its timer."""

import json
import logging
import time
from typing import Any

from celery import bootsteps

from ..communicators import commands
from .celery_app import app, celery_name, executor_host

__all__ = ["Reaper", "ReaperStep"]

logger = logging.getLogger(__name__)


class Reaper:
    """Publishes again the messages of jobs whose lease ran out, or whose pause before another attempt is over.

    After a silence of Redis, owners get one lease to renew before anything is taken from them.
    """

    def __init__(self) -> None:
        """Start with no contact."""
        self._host = executor_host()
        self._lease_seconds = self._host.settings.lease.total_seconds()
        self.interval_seconds = min(self._lease_seconds / 4, 5.0)
        self._contact_since: float | None = None
        self._last_tick = 0.0

    def tick(self) -> None:
        """Look once; never raises."""
        begun = time.monotonic()
        if begun - self._last_tick > self._lease_seconds:
            self._contact_since = None
        self._last_tick = begun
        try:
            self._host.redis.run(commands.tidy(self._host.bounds))
            if time.monotonic() - begun > self._lease_seconds / 4:
                self._contact_since = None  # Redis was silent for a while, to others as well
            self._rescue()
            if self._in_contact_for(self._lease_seconds, begun):
                self._reap()
        except Exception as error:  # noqa: BLE001 - the timer of the consumer must go on
            self._contact_since = None
            logger.warning("cannot look for lost jobs: %s", error, extra={"action": "reaper_failed"})

    def _in_contact_for(self, seconds: float, now: float) -> bool:
        if self._contact_since is None:
            self._contact_since = now
        return now - self._contact_since >= seconds

    def _rescue(self) -> None:
        """Where the queue is empty, a job that is still queued has no message: it was lost between broker and worker."""
        settings = self._host.settings
        with app.connection_for_write() as connection, connection.channel() as channel:
            try:
                waiting = channel.queue_declare(queue=settings.queue, passive=True).message_count
            except connection.channel_errors:  # on Redis an empty queue is none
                waiting = 0
        if waiting == 0:
            self._host.redis.run(commands.rescue(settings.queue, settings.visibility_timeout))

    def _reap(self) -> None:
        settings = self._host.settings
        for due in self._host.redis.run(commands.reap(settings.lease, settings.crash_limit, self._host.bounds)):
            facts = {"action": "job_published_again", "job_id": due.spec.id}
            logger.warning("%s is published again", due.spec.task, extra=facts)
            _publish(due)
            self._host.redis.run(commands.published(due.spec.id))


class ReaperStep(bootsteps.StartStopStep):
    """Has the consumer's timer move a reaper, from each connection to the next."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        """Start nothing yet."""
        super().__init__(consumer, **kwargs)
        self._reaper = Reaper()
        self._timer_entry: Any = None

    def start(self, consumer: Any) -> None:
        """Begin to look."""
        self._timer_entry = consumer.timer.call_repeatedly(self._reaper.interval_seconds, self._reaper.tick)

    def stop(self, consumer: Any) -> None:  # noqa: ARG002 - Celery calls it so
        """Look no more."""
        if self._timer_entry is not None:
            self._timer_entry.cancel()
            self._timer_entry = None

    shutdown = stop


def _publish(due: commands.Due) -> None:
    """Send the message as it came, with its links and stamps; a job that never had one gets one from its record."""
    spec = due.spec
    if not due.raw:
        app.send_task(celery_name(spec.task), kwargs=spec.parameters, task_id=spec.id, queue=spec.queue)
        return
    message = json.loads(due.raw)
    with app.producer_pool.acquire(block=True) as producer:
        producer.publish(
            message["body"],
            exchange="",
            routing_key=spec.queue,
            content_type=message["content_type"],
            content_encoding=message["content_encoding"],
            headers=message["headers"],
            **message["properties"],
        )
