"""Celery's result backend, as a courtesy: our producers read the ledger, yet `AsyncResult` tells the truth to others."""

from typing import Any

from celery.backends.redis import RedisBackend

__all__ = ["CourtesyBackend"]


class CourtesyBackend(RedisBackend):
    """Stores results as Celery's does, without the two round trips per job that only Celery's own producers need."""

    def on_task_call(self, producer: Any, task_id: str) -> None:
        """Subscribe to nothing: `AsyncResult.get` does so itself when somebody calls it."""
