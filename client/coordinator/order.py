"""What a strategy is given: the spec of a job, and what carries it out."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import ValidationError

from ...communicators import JobSpec
from ...config.errors import InvalidParameters
from ...tasks import FunctionTask, JobDescription, TaskDescription
from ...worker import PlainCall, Work
from ..preparer import Preparer, who_submits
from ..submit_options import SubmitOptions

__all__ = ["Order", "is_plain"]


@dataclass(frozen=True)
class Order:
    """A job that is to be accepted."""

    spec: JobSpec
    work: Work
    options: SubmitOptions
    #: Whether somebody else has chosen the job's id.
    has_own_id: bool = False

    @classmethod
    def of(
        cls,
        task: Any,
        parameters: Mapping[str, Any] | None,
        options: SubmitOptions,
        preparer: Preparer,
        *,
        job_id: str | None = None,
        queue: str = "",
    ) -> Self:
        """Return the order for what somebody asks for, checked as far as that can be done here.

        Args:
            task: a task, the name of one, the job of a file, or a function without arguments.
            parameters: those of a task given by name, or in place of the file's.
            options: what the submission decides beside.
            preparer: knows the tasks there are.
            job_id: an id that somebody has chosen; `None`: a new one.
            queue: where the job waits, if not where the options or the settings say.

        Raises:
            UnknownTask, InvalidParameters, InvalidFile, UnknownTasklet, InvalidTasklet: when there is no such job.
            TypeError: when it is nothing that can be carried out.
        """
        work: Work
        if is_plain(task):
            work = PlainCall(task)
            spec = _spec_of_call(work, parameters, options)
        else:
            task = task.s() if isinstance(task, FunctionTask) else task
            prepared, spec = preparer.asked_for(task, parameters, options)
            work = type(prepared)
        changes = {"queue": queue} if queue else {}
        return cls(_with_id(spec, job_id, changes), work, options, job_id is not None)


def is_plain(task: Any) -> bool:
    """Return whether something is a plain function, and no task."""
    is_task = isinstance(task, TaskDescription | FunctionTask | JobDescription)
    return callable(task) and not is_task and not (isinstance(task, type) and issubclass(task, TaskDescription))


def _spec_of_call(call: PlainCall, parameters: Mapping[str, Any] | None, options: SubmitOptions) -> JobSpec:
    problems = []
    if parameters:
        problems.append("parameters: a plain function is called without any; wrap it into functools.partial")
    if (limits := options.limits) and (limits.memory or limits.no_output or limits.preparation):
        problems.append("limits: a plain function takes `run` and `queue`; a task takes all")
    if options.before or options.after:
        problems.append("before, after: tasklets go around tasks")
    if options.retry:
        problems.append("retry: a function is tried once; let it try again itself, or make it a task")
    if problems:
        raise InvalidParameters(call.name, problems)
    given = {} if options.limits is None else {"limits": options.limits}
    return JobSpec(
        id=str(uuid.uuid4()),
        task=call.name,
        version="",
        parameters={},
        queue="",
        submitted_by=who_submits(),
        **given,
    )


def _with_id(spec: JobSpec, job_id: str | None, changes: dict[str, Any]) -> JobSpec:
    if job_id is None:
        return spec.model_copy(update=changes)
    try:
        return JobSpec.model_validate({**dict(spec), **changes, "id": job_id})
    except ValidationError as error:
        raise InvalidParameters(
            spec.task, [f"job_id={job_id!r}: an id is a plain word of letters, digits, - and _"]
        ) from error
