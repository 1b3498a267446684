"""From an open record to a message in the queue, or to a record that is closed again."""

import functools
from typing import Any

from kombu.exceptions import KombuError
from kombu.pools import producers

from ..communicators import Bounds, JobSpec, JobState, Outcome, RedisClient, commands
from ..config import for_kombu, shown
from ..config.errors import BrokerUnavailable, LedgerError
from ..worker import app, celery_name

__all__ = ["Enqueuer"]


class Enqueuer:
    """Sends the Celery messages of one client."""

    def __init__(self, url: str, ledger: RedisClient, bounds: Bounds, timeout: float) -> None:
        """Remember where to send; nothing is connected yet.

        Args:
            url: redis-py's URL of the queue.
            ledger: where the records are.
            bounds: of records and streams.
            timeout: seconds to wait for a connection.
        """
        self._url = url
        self._ledger = ledger
        self._bounds = bounds
        self._timeout = timeout

    @functools.cached_property
    def _producers(self) -> Any:
        """A pool of kombu's producers for this queue."""
        return producers[app.connection_for_write(for_kombu(self._url))]

    def enqueue(self, spec: JobSpec, idempotency_key: str | None = None) -> None:
        """Send the Celery message; if that fails, close the record: no job waits for a message that never comes."""
        try:
            with self._producers.acquire(block=True, timeout=self._timeout) as producer:
                app.send_task(
                    celery_name(spec.task),
                    kwargs=spec.parameters,
                    task_id=spec.id,
                    queue=spec.queue,
                    producer=producer,
                    retry=False,
                )
        except (KombuError, OSError) as error:
            unavailable = BrokerUnavailable(shown(self._url), str(error) or type(error).__name__)
            self.withdraw(spec, unavailable, idempotency_key)
            raise unavailable from error

    def withdraw(self, spec: JobSpec, problem: Exception, idempotency_key: str | None = None) -> None:
        """Close a record whose message was not sent, and free its key, as far as the ledger can be reached."""
        outcome = Outcome(state=JobState.CANCELLED, error=f"it could not be enqueued: {problem}")
        try:
            if idempotency_key is not None:
                self._ledger.run(commands.forget_idempotency_key(idempotency_key))
            self._ledger.run(commands.close_unclaimed(spec.id, outcome, self._bounds))
        except BrokerUnavailable as worse:
            problem.add_note(f"job {spec.id} may still be enqueued: {worse}")
        except LedgerError:
            pass  # there is no such record, or it was closed or claimed meanwhile
