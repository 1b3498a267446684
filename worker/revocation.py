"""`revoke(terminate=True)`, from whoever knows Celery, as a cancel that is durable.

Celery looks for the request among those that this worker still remembers; a copy of the message makes it forget.
"""

import logging
from typing import Any

from celery.utils.functional import maybe_list
from celery.worker.control import control_command
from celery.worker.control import revoke as celery_revoke

from ..config.errors import OutriderError
from .celery_app import executor_host

__all__ = ["revoke"]

logger = logging.getLogger(__name__)


@control_command(variadic="task_id", signature="[id1 [id2 [... [idN]]]]")
def revoke(state: Any, task_id: Any, terminate: bool = False, signal: Any = None, **words: Any) -> Any:  # noqa: FBT001, FBT002 - Celery's signature
    """Revoke tasks by id; with `terminate`, cancel their jobs, wherever they are."""
    for job_id in (maybe_list(task_id) or []) if terminate else []:
        try:
            executor_host().request_cancel(str(job_id))
        except OutriderError as error:  # of another application, say; or the ledger is away: Celery's own way is left
            logger.info("not cancelled: %s", error, extra={"action": "revoke_ignored", "job_id": job_id})
    return celery_revoke(state, task_id, terminate=terminate, signal=signal, **words)
