"""Tasklets that name a queue: sent there as Celery tasks, and awaited without blocking anybody."""

import asyncio
import logging
from typing import Any

from celery import Celery
from celery.exceptions import TaskRevokedError
from pydantic import ValidationError

from ..config.errors import TaskletFailed
from ..tasklets import CELERY_PREFIX
from .celery_results import CeleryResults
from .tasklet_call import TaskletAnswer, TaskletEnd
from .tasklet_header import HEADER, TaskletHeader
from .tasklet_site import SentTasklet

__all__ = ["TaskletQueues"]

logger = logging.getLogger(__name__)


class TaskletQueues:
    """Sends tasklets to queues, for the Executors of one event loop."""

    def __init__(self, app: Celery) -> None:
        """Send by the app's broker, and read results from its backend."""
        self._app = app
        self._results = CeleryResults(app)
        self._revoking: set[asyncio.Future[None]] = set()

    async def send(self, sent: SentTasklet) -> TaskletAnswer:
        """Have a worker of the queue run a tasklet, and return what came of it; its limit counts from now on.

        When the limit is over, or this is cancelled, the tasklet is revoked.
        """
        limit = sent.request.time_limit
        seconds = limit.total_seconds() if limit else None
        try:
            async with asyncio.timeout(seconds):
                await asyncio.to_thread(self._publish, sent, seconds)
                meta = await self._results.wait(sent.id)
        except TimeoutError:
            self._revoke(sent.id)
            error = f"there was no answer from the queue {sent.queue!r} within its limit of {seconds:g} s"
            return TaskletAnswer(ended=TaskletEnd.TIMED_OUT, error=error)
        except asyncio.CancelledError:
            self._revoke(sent.id)
            raise
        except Exception as error:  # noqa: BLE001 - kombu and its transports raise what they like
            problem = f"it cannot be sent to the queue {sent.queue!r}: {type(error).__name__}: {error}"
            return TaskletAnswer(ended=TaskletEnd.RAISED, error=problem)
        return _answer(meta)

    def _publish(self, sent: SentTasklet, seconds: float | None) -> None:
        request = sent.request
        header = TaskletHeader(
            job_id=sent.job_id, directory=request.directory, folder=request.folder, time_limit=request.time_limit
        )
        self._app.send_task(
            CELERY_PREFIX + request.name,
            args=list(request.args),
            kwargs=request.kwargs,
            task_id=sent.id,
            queue=sent.queue,
            headers={HEADER: header.model_dump(mode="json")},
            parent_id=sent.job_id,
            root_id=sent.job_id,
            expires=seconds,
        )

    def _revoke(self, task_id: str) -> None:
        """Have it ended wherever it is, soon."""

        def revoke() -> None:
            try:
                self._app.control.revoke(task_id, terminate=True)
            except Exception as error:  # noqa: BLE001 - its worker ends it at its limit
                logger.warning("cannot revoke: %s", error, extra={"action": "tasklet_not_revoked", "task_id": task_id})

        revoking = asyncio.get_running_loop().run_in_executor(None, revoke)
        self._revoking.add(revoking)
        revoking.add_done_callback(self._revoking.discard)


def _answer(meta: dict[str, Any]) -> TaskletAnswer:
    """Return what came of a tasklet, from what Celery's result backend holds."""
    match meta.get("result"):
        case TaskletFailed(ended=ended, why=why, printed=printed):
            known = ended if ended in set(TaskletEnd) - {TaskletEnd.RETURNED} else TaskletEnd.RAISED
            return TaskletAnswer(ended=TaskletEnd(known), error=why, printed=printed)
        case TaskRevokedError():
            return TaskletAnswer(ended=TaskletEnd.STOPPED, error="was revoked")
        case BaseException() as error:
            return TaskletAnswer(ended=TaskletEnd.RAISED, error=f"{type(error).__name__}: {error}")
        case value:
            try:
                return TaskletAnswer.model_validate(value)
            except ValidationError:
                problem = "what its worker answered makes no sense; is that of another version?"
                return TaskletAnswer(ended=TaskletEnd.RAISED, error=problem)
