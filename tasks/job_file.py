"""From a YAML file to a job description."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ..config import Budget, Limits, QueueName, RetryPolicy, resolve
from ..config.errors import InvalidFile, InvalidReference
from .description import TaskDescription
from .files import Document, Place, read_document, validation_problems
from .job_description import JobDescription
from .parameter_sets import known_names, reference_problem

__all__ = ["JobFile", "load_job", "load_parameters"]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_Uses = Annotated[list[str], BeforeValidator(_as_list, json_schema_input_type=str | list[str]), Field(max_length=100)]


class JobFile(BaseModel):
    """A job as a file."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    task: str
    """The name of a task."""
    use: _Uses = []
    """Files with sets of parameters, named from this file's folder."""
    values: dict[str, Any] = {}
    """Names of this file's own, for references; they go before those of `use`."""
    parameters: dict[str, Any] = {}
    """What the task gets."""
    limits: Limits | None = None
    """Bounds on the job, in place of the task's."""
    retry: RetryPolicy | None = None
    """Which ends are followed by another attempt, in place of the task's."""
    queue: QueueName | None = None
    """The queue that the job is sent to, in place of the settings'."""
    # Which tasklets run before and after the task will be keys of this model, too.


class _Names(BaseModel):
    """The part of a job file that all its references hang on."""

    use: _Uses = []
    values: dict[str, Any] = {}


#: Where references may stand.
_WITH_REFERENCES = ("parameters", "limits", "retry", "queue")


def load_job(path: Path | str, catalogue: Mapping[str, type[TaskDescription]] | None = None) -> JobDescription:
    """Read a job file.

    Args:
        path: of the file.
        catalogue: the tasks there are, to check the parameters at once; `None`: they are checked when the job is submitted.

    Raises:
        InvalidFile: naming each problem with its line.
    """
    document = read_document(path)
    content = document.mapping("a job")
    try:
        names = _Names.model_validate(content)
    except ValidationError as error:
        raise document.invalid(validation_problems(document, error.errors(), JobFile)) from error
    budget = Budget()
    known = known_names(document, names.values, names.use, budget)
    reading = _Reading(document, known, budget)
    resolved = {key: reading.part(key, value) for key, value in content.items()}
    job = reading.job({key: value for key, value in resolved.items() if value is not _LOST}, catalogue)
    if job is None or reading.problems:
        raise document.invalid(reading.problems)
    return job


def load_parameters(task: str, path: Path | str) -> JobDescription:
    """Read a file that is a mapping of one task's parameters.

    Raises:
        InvalidFile: naming each problem with its line.
    """
    document = read_document(path)
    reading = _Reading(document, {}, Budget())
    parameters = reading.mapping((), document.mapping(f"the parameters of {task}"))
    if reading.problems:
        raise document.invalid(reading.problems)
    return JobDescription(task=task, source=document, parameters=parameters)


_LOST = object()


class _Reading:
    """One reading of a job file: goes on after a problem, to find the others."""

    def __init__(self, document: Document, names: Mapping[str, Any], budget: Budget) -> None:
        self.problems: list[str] = []
        #: What is said of values that are missing only because their references lead nowhere.
        self._lost: list[str] = []
        self._document = document
        self._names = names
        self._budget = budget

    def part(self, key: str, value: Any) -> Any:
        """Return a part of the file with its references resolved, as far as they can be."""
        if key not in _WITH_REFERENCES:
            return value
        return self.mapping((key,), value) if isinstance(value, dict) else self._resolved((key,), value)

    def mapping(self, place: Place, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return a mapping likewise; values that cannot be resolved are missing."""
        resolved = {name: self._resolved((*place, name), value) for name, value in values.items()}
        return {name: value for name, value in resolved.items() if value is not _LOST}

    def job(
        self, parts: dict[str, Any], catalogue: Mapping[str, type[TaskDescription]] | None
    ) -> JobDescription | None:
        """Return the job, if it can be told."""
        try:
            file = JobFile.model_validate(parts)
        except ValidationError as error:
            self.problems += validation_problems(self._document, error.errors(), JobFile)
            file = None
        task, parameters = parts.get("task"), parts.get("parameters", {})
        if not isinstance(task, str) or not isinstance(parameters, dict):
            return None
        job = JobDescription(task, self._document, parameters, ("parameters",))
        if catalogue is not None:
            self._check(job, catalogue)
        return replace(job, limits=file.limits, retry=file.retry, queue=file.queue) if file else None

    def _check(self, job: JobDescription, catalogue: Mapping[str, type[TaskDescription]]) -> None:
        try:
            job.task_from(catalogue)
        except InvalidFile as error:
            self.problems += [problem for problem in error.problems if not problem.endswith(tuple(self._lost))]

    def _resolved(self, place: Place, value: Any) -> Any:
        try:
            return resolve(value, self._names, self._budget)
        except InvalidReference as error:
            self.problems.append(reference_problem(self._document, place, error))
            self._lost.append(f"{'.'.join(map(str, place))}: is required")
            return _LOST
