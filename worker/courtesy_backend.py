"""Celery's result backend, as a courtesy: our producers read the ledger, and `AsyncResult` tells the truth to others."""

import logging
from datetime import timedelta
from typing import Any

from celery.backends.redis import RedisBackend

__all__ = ["CourtesyBackend"]

logger = logging.getLogger(__name__)

_A_WEEK = timedelta(days=7)


class CourtesyBackend(RedisBackend):
    """Stores results as Celery's does, but a courtesy neither blocks a slot nor fails a job.

    It also saves the two round trips per job that only Celery's own producers need.
    """

    def on_task_call(self, producer: Any, task_id: str) -> None:
        """Subscribe to nothing: `AsyncResult.get` does so itself when somebody calls it."""

    def store_result(self, task_id: str, result: Any, state: str, *args: Any, **kwargs: Any) -> Any:
        """Store a result, if its Redis takes it."""
        try:
            return super().store_result(task_id, result, state, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever it is, the ledger has the truth
            facts = {"action": "courtesy_failed", "job_id": task_id}
            logger.warning("Celery's copy of the result was not stored: %s", error, extra=facts)
            return result

    def _store_result(
        self, task_id: str, result: Any, state: str, traceback: Any = None, request: Any = None, **_: Any
    ) -> Any:
        """Write and announce in one round trip. Celery reads first, lest a late state win; the ledger sees to that."""
        meta = self._get_result_meta(result=result, state=state, traceback=traceback, request=request)
        key, value = self.get_key_for_task(task_id), self.encode({**meta, "task_id": task_id})
        with self.client.pipeline(transaction=False) as pipeline:
            pipeline.setex(key, self.expires or _A_WEEK, value)
            pipeline.publish(key, value)
            pipeline.execute()
        return result
