"""Tasklets as Celery tasks of this worker: run in its pool, whoever has sent them."""

import logging
import tempfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..config.errors import InvalidTasklet, TaskletFailed
from ..tasklets import Tasklet, celery_task_of
from .celery_app import executor_host
from .celery_internals import Request, wake_consumer
from .tasklet_call import TaskletAnswer, TaskletEnd, TaskletRequest
from .tasklet_header import HEADER, TaskletHeader
from .tasklet_paths import TaskletPaths

__all__ = ["TaskletMessage", "tasklet_task"]

logger = logging.getLogger(__name__)

#: What one may take when nobody says otherwise.
_TIME_LIMIT = timedelta(minutes=10)
_LONGEST_PRINTED = 8000


class TaskletMessage(Request):
    """A Celery request that can be terminated in every pool."""

    def send_event(self, type: str, **fields: Any) -> None:  # noqa: A002 - Celery's name
        """Say what happens, and that a slot may be free."""
        super().send_event(type, **fields)
        wake_consumer()

    def terminate(self, pool: Any, signal: Any = None) -> None:
        """End the tasklet; a child of the `prefork` pool is ended with it."""
        if executor_host().stop_tasklet(self.id):
            return
        try:
            super().terminate(pool, signal)
        except NotImplementedError:  # threads cannot be ended, and this one is about to
            logger.info("not terminated: %s", self.id, extra={"action": "tasklet_not_terminated"})


def tasklet_task(tasklet: Tasklet[..., Any]) -> Any:
    """Return the Celery task of a tasklet."""
    return celery_task_of(
        tasklet,
        _carry_out,
        Request=f"{__name__}:{TaskletMessage.__name__}",
        Strategy="outrider.worker.job_strategy:job_strategy",
        throws=(TaskletFailed,),  # an expected end: one line in the log, no traceback
    )


def _carry_out(tasklet: Tasklet[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], task: Any) -> Any:
    """Return a tasklet's value or, for a job, all that came of it.

    Raises:
        TaskletFailed: when it did not end well.
    """
    request = task.request
    header = _header(request)
    with tempfile.TemporaryDirectory(prefix="outrider-") as name:
        scratch = Path(name)
        directory, folder = Path.cwd(), scratch
        if header:
            directory, folder = (_own_folder(path, scratch) for path in (header.directory, header.folder))
        _check_paths(tasklet, args, kwargs, directory, header)
        asked = TaskletRequest(
            name=tasklet.name,
            args=tuple(args),
            kwargs=dict(kwargs),
            directory=directory,
            folder=folder,
            time_limit=(header.time_limit if header else _celery_limit(request)) or tasklet.time_limit or _TIME_LIMIT,
        )
        answer = executor_host().run_tasklet(request.id, asked)
    if not answer.ok:
        printed = "\n".join(filter(None, (answer.printed, answer.traceback)))[-_LONGEST_PRINTED:]
        raise TaskletFailed(tasklet.name, str(answer.ended), answer.error or "", printed)
    return {"value": answer.value, **answer.model_dump(mode="json")} if header else _value(tasklet.name, answer)


def _check_paths(
    tasklet: Tasklet[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    directory: Path,
    header: TaskletHeader | None,
) -> None:
    """Make sure that what a message names lies where this worker reads and writes.

    Raises:
        TaskletFailed: naming the first that does not.
    """
    settings = executor_host().settings
    job = settings.jobs_directory / header.job_id if header else None
    own = (job,) if job and directory.is_relative_to(job) else (directory,) if header else ()
    try:
        TaskletPaths(own, settings.input_roots, settings.output_roots).check(tasklet, args, kwargs, directory)
    except InvalidTasklet as error:
        raise TaskletFailed(tasklet.name, str(TaskletEnd.RAISED), str(error), "") from error


def _value(name: str, answer: TaskletAnswer) -> Any:
    if not answer.has_value:
        why = "what it returned is no JSON, or larger than 1 MiB: have it write a file, and return its path"
        raise TaskletFailed(name, str(answer.ended), why, answer.printed)
    return answer.value


def _header(request: Any) -> TaskletHeader | None:
    content = request.get(HEADER)
    if content is None:
        return None
    try:
        return TaskletHeader.model_validate(content)
    except ValidationError as error:
        logger.warning("a tasklet's header makes no sense: %s", error, extra={"action": "header_refused"})
        return None


def _own_folder(folder: Path, otherwise: Path) -> Path:
    """Return a job's folder if it is one of this worker's jobs' and is there."""
    jobs = executor_host().settings.jobs_directory.resolve()
    return folder if folder.is_dir() and folder.resolve().is_relative_to(jobs) else otherwise


def _celery_limit(request: Any) -> timedelta | None:
    seconds = (request.timelimit or (None,))[0]
    return timedelta(seconds=seconds) if seconds else None
