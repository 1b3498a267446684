"""The Celery task of each task in the catalogue. It runs nothing itself: the host's Executor does."""

import logging
import time
from typing import Any, Self

from celery import Task
from celery.exceptions import Ignore, Reject

from ..communicators import Claim, JobState, Outcome
from ..config.errors import BrokerUnavailable, JobError, JobFailed, JobLost, JobNotFound, JobTimedOut, LedgerError
from ..tasks import TaskDescription
from .celery_app import celery_name, executor_host
from .job_request import claim_job
from .verdict import Released

__all__ = ["JobTask"]

logger = logging.getLogger(__name__)

_UNAVAILABLE_PAUSE_SECONDS = 1.0


class JobTask(Task):
    """Carries out one job, and tells Celery how it ended."""

    Request = "outrider.worker.job_request:JobRequest"
    Strategy = "outrider.worker.job_strategy:job_strategy"
    acks_late = False
    throws = (JobError,)  # an expected end: one line in the log, no traceback
    typing = False  # parameters are checked by the task's model, with better words

    @classmethod
    def of(cls, name: str, task: type[TaskDescription]) -> Self:
        """Return the Celery task for a task of the catalogue."""
        members = {"name": celery_name(name), "__doc__": task.__doc__, "__module__": __name__}
        made: Self = type(task.__name__, (cls,), members)()
        return made

    def run(self, *_args: Any, **_parameters: Any) -> Any:
        """Carry out the job of the current request; its parameters are in the record."""
        try:
            claim = claim_job(dict(vars(self.request)))
        except (BrokerUnavailable, JobNotFound) as error:
            time.sleep(_UNAVAILABLE_PAUSE_SECONDS)  # the message comes back at once
            raise Reject(error, requeue=True) from error
        if not isinstance(claim, Claim):
            self._tell_if_cancelled(claim)
            logger.info("not started: it is %s", claim, extra={"action": "job_refused", "job_id": self.request.id})
            raise Ignore
        try:
            end = executor_host().carry_out(claim)
        except LedgerError as refusal:
            logger.warning("stopped: %s", refusal, extra={"action": "job_superseded", "job_id": self.request.id})
            raise Ignore from refusal
        if isinstance(end, Released):
            self.send_event("task-retried", exception=end.note, traceback="")
            raise Ignore
        return self._celery_result(end)

    def _celery_result(self, outcome: Outcome) -> Any:
        """Return the result, or raise what Celery stores and shows as the job's end."""
        job_id, message = self.request.id, outcome.message
        match outcome.state:
            case JobState.SUCCEEDED:
                return outcome.result
            case JobState.CANCELLED:
                self._tell_if_cancelled(outcome.state)
                raise Ignore
            case JobState.TIMED_OUT:
                raise JobTimedOut(job_id, message)
            case JobState.LOST:
                raise JobLost(job_id, message)
            case _:
                raise JobFailed(job_id, str(outcome.reason), message)

    def _tell_if_cancelled(self, state: JobState) -> None:
        if state is JobState.CANCELLED:
            self.backend.mark_as_revoked(self.request.id, "cancelled", request=self.request)
            self.send_event("task-revoked", terminated=True, signum="TERM", expired=False)
