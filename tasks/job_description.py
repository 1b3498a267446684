"""A job as a file describes it: which task, with which parameters, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from ..config import Limits, RetryPolicy
from ..config.errors import InvalidParameters, SubmitError, UnknownTask
from ..tasklets import PlannedTasklet
from .description import TaskDescription, parameter_problem
from .files import Document, Place, validation_problems

__all__ = ["JobDescription"]


@dataclass(frozen=True)
class JobDescription:
    """What a job file asks for; its references are resolved, its parameters are not yet a task's."""

    task: str
    #: The file that says so.
    source: Document = field(repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    #: Where in the file the parameters stand.
    place: Place = ()
    #: In place of the task's.
    limits: Limits | None = None
    #: In place of the task's.
    retry: RetryPolicy | None = None
    #: In place of the settings'.
    queue: str | None = None
    #: Behind those of the task's class.
    tasklets: tuple[PlannedTasklet, ...] = ()
    #: The names of those of the task's class that this job does without.
    without: tuple[str, ...] = ()

    def task_from(
        self, catalogue: Mapping[str, type[TaskDescription]], changes: Mapping[str, Any] | None = None
    ) -> TaskDescription:
        """Return the task. The file's inputs are named from the file's folder; those that are changed stay as they are.

        Args:
            catalogue: the tasks there are.
            changes: parameters in place of the file's.

        Raises:
            InvalidFile: naming each problem with its line.
            InvalidParameters: when only the changes are wrong.
        """
        changes = dict(changes or {})
        try:
            cls = catalogue[self.task]
        except UnknownTask as error:
            raise self.source.invalid([self.source.problem(("task",), f"task: {error}")]) from error
        try:
            task = cls.model_validate({**self.parameters, **changes})
        except ValidationError as error:
            raise self._refusal(cls, error, changes) from error
        kept = {f.name: getattr(task, f.name) for f in cls.task_fields() if f.parameter in changes}
        return task.with_absolute_inputs(self.source.folder).model_copy(update=kept)

    def origin(self, parameter: str) -> str:
        """Return where a parameter's value comes from; nothing when the file does not have it."""
        if parameter not in self.parameters:
            return ""
        return f"{self.source.path.name} line {self.source.line_of((*self.place, parameter))}"

    def _refusal(self, cls: type[TaskDescription], error: ValidationError, changes: Mapping[str, Any]) -> SubmitError:
        details = error.errors()
        changed = [detail for detail in details if detail["loc"][:1] and detail["loc"][0] in changes]
        theirs = [parameter_problem(detail, [field.parameter for field in cls.task_fields()]) for detail in changed]
        ours = [detail for detail in details if detail not in changed]
        if not ours:
            return InvalidParameters(cls.name, theirs)
        return self.source.invalid([*theirs, *validation_problems(self.source, ours, cls, self.place)])
