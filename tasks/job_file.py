"""From a YAML file to a job description."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ..config import Budget, Limits, QueueName, RetryPolicy, defer, escape, resolve
from ..config.errors import InvalidFile, InvalidReference
from ..tasklets import PLACES, ROOTS, Tasklets
from .description import TaskDescription
from .files import Document, Place, read_document, validation_problems
from .job_description import JobDescription
from .parameter_sets import known_names, reference_problem
from .tasklet_entries import Entries, EntryReader

__all__ = ["JobFile", "load_job", "load_parameters"]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


#: Several texts, of which one may stand alone.
_Texts = Annotated[list[str], BeforeValidator(_as_list, json_schema_input_type=str | list[str]), Field(max_length=100)]


class JobFile(BaseModel):
    """A job as a file."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    task: str
    """The name of a task."""
    use: _Texts = []
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
    before: Entries = []
    """Tasklets before the program, behind those of the task's class."""
    after: Entries = []
    """Tasklets after the program, behind those of the task's class."""
    without: _Texts = []
    """Names of tasklets of the task's class that this job does without; `all`: every one."""


class _Names(BaseModel):
    """The part of a job file that all its references hang on."""

    use: _Texts = []
    values: dict[str, Any] = {}


#: Where references may stand.
_WITH_REFERENCES = ("parameters", "limits", "retry", "queue", "without")

_Catalogue = Mapping[str, type[TaskDescription]]


def load_job(path: Path | str, catalogue: _Catalogue | None = None, tasklets: Tasklets | None = None) -> JobDescription:
    """Read a job file.

    Args:
        path: of the file.
        catalogue: the tasks there are, to check the parameters at once; `None`: they are checked when the job is submitted.
        tasklets: those there are, likewise.

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
    job = reading.job({key: value for key, value in resolved.items() if value is not _LOST}, catalogue, tasklets)
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
_OPTIONS = ("limits", "retry", "queue")


class _Reading:
    """One reading of a job file: goes on after a problem, to find the others."""

    def __init__(self, document: Document, names: Mapping[str, Any], budget: Budget) -> None:
        self.problems: list[str] = []
        #: What is said of values that are missing only because their references lead nowhere.
        self._lost: list[str] = []
        self._document = document
        self._names = names
        #: With the names that only a run knows, so that one that comes close is named.
        self._names_for_later = {**escape(names), **dict.fromkeys(ROOTS)}
        self._budget = budget

    def part(self, key: str, value: Any) -> Any:
        """Return a part of the file with its references resolved, as far as they can be."""
        if key in PLACES and isinstance(value, str):
            return self._resolved((key,), value)
        if key not in _WITH_REFERENCES:
            return value
        return self.mapping((key,), value) if isinstance(value, dict) else self._resolved((key,), value)

    def mapping(self, place: Place, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return a mapping likewise; values that cannot be resolved are missing."""
        resolved = {name: self._resolved((*place, name), value) for name, value in values.items()}
        return {name: value for name, value in resolved.items() if value is not _LOST}

    def job(
        self, parts: dict[str, Any], catalogue: _Catalogue | None, tasklets: Tasklets | None
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
        return replace(job, **self._options(job, file, catalogue, tasklets)) if file else None

    def _options(
        self, job: JobDescription, file: JobFile, catalogue: _Catalogue | None, tasklets: Tasklets | None
    ) -> dict[str, Any]:
        """Return what the file says beside the task and its parameters."""
        cls = catalogue[job.task] if catalogue is not None and job.task in catalogue else None
        names = {field.parameter for field in cls.task_fields()} if cls else None
        reader = EntryReader(self._document, self.problems, names, tasklets, self._resolved_for_later)
        planned = [one for place in PLACES for one in reader.planned(place, getattr(file, place))]
        return {
            **{key: getattr(file, key) for key in _OPTIONS},
            "without": tuple(file.without),
            "tasklets": tuple(planned),
        }

    def _resolved_for_later(self, entry: Any) -> Any:
        """Return a tasklet's entry with the file's own references resolved; those that only a run can resolve stay."""
        return resolve(defer(entry, ROOTS), self._names_for_later, self._budget)

    def _check(self, job: JobDescription, catalogue: _Catalogue) -> None:
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
