"""From what somebody asks for to what a record says of it, before anything is recorded."""

import functools
import getpass
import socket
import uuid
from collections.abc import Mapping
from typing import Any

from ..communicators import JobSpec
from ..config import Settings
from ..tasklets import TaskletPlan, Tasklets, load_tasklets
from ..tasks import Catalogue, JobDescription, TaskDescription, definition_digest, load_catalogue
from .planning import plan_of
from .prepared_task import prepared_task
from .submit_options import SubmitOptions

__all__ = ["Preparer", "who_submits"]


class Preparer:
    """Knows the tasks and tasklets there are, and what the settings say where nothing else is said."""

    def __init__(self, settings: Settings) -> None:
        """Load nothing yet."""
        self.settings = settings

    @functools.cached_property
    def catalogue(self) -> Catalogue:
        """The tasks that this process knows."""
        return load_catalogue(self.settings.tasks, self.settings.project)

    @functools.cached_property
    def tasklets(self) -> Tasklets:
        """The tasklets that this process knows."""
        return load_tasklets(self.settings.tasks)

    def asked_for(
        self, task: Any, parameters: Mapping[str, Any] | None, options: SubmitOptions
    ) -> tuple[TaskDescription, JobSpec]:
        """Return a task that can be sent, and the spec of a new job of it.

        Args:
            task: a task, the name of one, or the job of a file.
            parameters: those of a task given by name, or in place of the file's.
            options: what the submission decides beside.

        Raises:
            UnknownTask, InvalidParameters, InvalidFile, UnknownTasklet, InvalidTasklet: when there is no such job.
        """
        job = task if isinstance(task, JobDescription) else None
        prepared = self.prepared(task, parameters)
        plan = self.plan(prepared, options, job)
        return prepared, self.spec(prepared, plan, options.completed_by(job) if job else options)

    def prepared(self, task: Any, parameters: Mapping[str, Any] | None = None) -> TaskDescription:
        """Return a task that can be sent. Raises as `prepared_task` does."""
        return prepared_task(task, dict(parameters or {}), lambda: self.catalogue)

    def plan(self, task: TaskDescription, options: SubmitOptions, job: JobDescription | None = None) -> TaskletPlan:
        """Return the tasklets that a task would be submitted with, or the job of a file.

        Raises:
            UnknownTasklet, InvalidTasklet: when one cannot be called so, or there is none to leave out.
        """
        return self.checked(plan_of(task, job, options), task)

    def checked(self, plan: TaskletPlan, task: TaskDescription) -> TaskletPlan:
        """Return a plan of which every tasklet is known and can be called. Raises as `plan` does."""
        if plan.tasklets:
            plan.check(self.tasklets, {field.parameter for field in task.task_fields()})
        return plan

    def spec(
        self, task: TaskDescription, plan: TaskletPlan, options: SubmitOptions, rerun_of: str | None = None
    ) -> JobSpec:
        """Return what a record says of a task that is submitted now."""
        return JobSpec(
            id=str(uuid.uuid4()),
            task=task.name,
            version=task.version,
            definition=definition_digest(type(task)),
            parameters=task.parameters(),
            queue=options.queue or self.settings.queue,
            limits=options.limits or task.limits,
            retry=options.retry or task.retry,
            exclusive=task.exclusive,
            submitted_by=who_submits(),
            rerun_of=rerun_of,
            before=plan.before,
            after=plan.after,
        )


@functools.cache
def who_submits() -> str:
    """Return `user@host` of this process."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):  # a user without a name, as in some containers
        return f"@{socket.gethostname()}"
