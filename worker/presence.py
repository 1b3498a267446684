"""Saying that this worker process lives.

It is said from a thread: a job in the `solo` pool holds up the consumer, and a worker that drains has none any more.
"""

import logging
import os
import platform
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

from celery import bootsteps

from ..communicators import Command, RedisClient, commands
from .celery_app import executor_host

__all__ = ["Presence", "PresenceStep"]

logger = logging.getLogger(__name__)


class Presence:
    """Tells the ledger at each interval what a worker says of itself, until it ends."""

    def __init__(
        self, redis: RedisClient, name: str, interval: timedelta, facts: Callable[[], commands.WorkerFacts]
    ) -> None:
        """Say nothing yet.

        Args:
            redis: a client that nobody else uses: the pool may fork at any time.
            name: of the worker.
            interval: how often it is said.
            facts: what is said; asked each time.
        """
        self._redis = redis
        self._name = name
        self._interval = interval
        self._facts = facts
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._heard = True

    def begin(self) -> None:
        """Say it now and from now on; once is enough."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._go_on, name="outrider-presence", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Say no more, and be forgotten; where nobody listens, that happens by itself after an hour."""
        if self._thread is None:
            return
        self._ended.set()
        self._thread.join()
        if self._heard:
            self._say(lambda: commands.forget_worker(self._name))

    def _go_on(self) -> None:
        while not self._ended.is_set():
            self._say(lambda: commands.beat(self._facts()))
            self._ended.wait(self._interval.total_seconds())

    def _say(self, command: Callable[[], Command[None]]) -> None:
        """Say something; never raises, and complains once in a row."""
        try:
            self._redis.run(command())
        except Exception as error:  # noqa: BLE001 - a worker that nobody hears works all the same
            if self._heard:
                logger.warning("cannot say that we live: %s", error, extra={"action": "presence_failed"})
            self._heard = False
        else:
            self._heard = True


class PresenceStep(bootsteps.StartStopStep):
    """Says that the worker lives, from its first connection to the broker until its jobs have ended or are handed back."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        """Say nothing yet."""
        super().__init__(consumer, **kwargs)
        settings, begun = executor_host().settings, datetime.now(UTC)
        redis = RedisClient(executor_host().redis.url, settings.connect_timeout)
        interval = settings.heartbeat_interval
        self._presence = Presence(redis, consumer.hostname, interval, lambda: _facts(consumer, interval, begun))

    def start(self, consumer: Any) -> None:  # noqa: ARG002 - Celery calls it so
        """Begin; after a reconnection, go on."""
        self._presence.begin()

    def stop(self, consumer: Any) -> None:
        """Go on: the connection was lost, or the last jobs still run."""

    terminate = stop

    def shutdown(self, consumer: Any) -> None:  # noqa: ARG002
        """End."""
        self._presence.end()


def _facts(consumer: Any, interval: timedelta, begun: datetime) -> commands.WorkerFacts:
    pool = type(consumer.pool).__module__.rpartition(".")[2]
    return commands.WorkerFacts(
        name=consumer.hostname,
        host=socket.gethostname(),
        pid=os.getpid(),
        pool="threads" if pool == "thread" else pool,  # as the setting has it
        slots=consumer.pool.num_processes,
        queues=tuple(sorted(consumer.app.amqp.queues.consume_from)),
        interval=interval,
        started_at=begun,
        outrider_version=version("outrider"),
        python_version=platform.python_version(),
    )
