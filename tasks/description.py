"""What every task has: typed parameters, a name, bounds, and a result with a type."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from ..config import Limits, RetryPolicy, did_you_mean
from ..config.errors import InvalidParameters
from .environment import Environment, check_environment
from .fields import TaskField, check_field_names, task_fields
from .paths import with_paths
from .result_type import adapter_of
from .secret_fields import check_no_secrets
from .staging import staged_outputs, with_staged_outputs
from .tasklet_defaults import check_tasklets
from .templates import FileTemplate, templates_of

__all__ = ["TaskDescription", "parameter_problem"]


class TaskDescription(BaseModel):
    """A typed description of one thing to run: class variables say how, fields are its parameters.

    Describe a program as a `ThirdPartyTask`, and Python code of your own as a `Task`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, validate_by_name=True, ser_json_inf_nan="constants"
    )

    #: The task's name; default: the class's in snake_case.
    name: ClassVar[str] = ""
    #: The version of this description; it goes into the record.
    version: ClassVar[str] = "1"
    #: Bounds on run time, silence, memory and so on.
    limits: ClassVar[Limits] = Limits()
    #: Which ends are followed by another attempt.
    retry: ClassVar[RetryPolicy] = RetryPolicy()
    #: Whether two attempts must never run at the same time, even if that means to stop one that cannot reach the ledger.
    exclusive: ClassVar[bool] = False
    #: The variables of the process: an `Environment`, or a dict of those that are set.
    environment: ClassVar[Environment | dict[str, str]] = Environment()
    #: Templates of files that are needed in the working directory, by the files' names: each a text, or the path of a file
    #: beside the module.
    templates: ClassVar[dict[str, str | Path]] = {}
    #: The tasklets before and after each job, unless a job says otherwise: signatures such as `plot.s()`, mappings, words;
    #: calls are made of them all.
    before: ClassVar[Sequence[Any]] = ()
    after: ClassVar[Sequence[Any]] = ()

    #: Whether each field must say where its value goes on a command line.
    _fields_have_places: ClassVar[bool] = False
    _task_fields: ClassVar[tuple[TaskField, ...]] = ()
    _file_templates: ClassVar[tuple[FileTemplate, ...]] = ()
    _result_adapter: ClassVar[TypeAdapter[Any]]

    @classmethod
    def __pydantic_init_subclass__(cls, **_kwargs: Any) -> None:
        """Check the description and look up what is asked for at each job."""
        check_field_names(cls, TaskDescription)
        check_no_secrets(cls)
        if "environment" in cls.__dict__:
            cls.environment = check_environment(cls, cls.environment)
        check_tasklets(cls)
        if "name" not in cls.__dict__:
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower()
        cls._task_fields = task_fields(cls, need_places=cls._fields_have_places)
        cls._file_templates = templates_of(cls)
        maker = cls._result_maker()
        cls._result_adapter = adapter_of(maker if isinstance(maker, type) else get_type_hints(maker).get("return", Any))

    @classmethod
    def _result_maker(cls) -> Callable[..., Any]:
        """Return what makes the result: a method with a return type, or the result's type itself."""
        raise NotImplementedError

    @classmethod
    def is_complete(cls) -> bool:
        """Whether jobs can be made of this class; if not, it is a base of others."""
        raise NotImplementedError

    def input_files(self) -> dict[str, str]:
        """Return small text files that are needed in the working directory, by name: the rendered templates.

        Raises:
            CannotRun: when a template asks for what a parameter has not.
        """
        values = {field.parameter: getattr(self, field.name) for field in self.task_fields()}
        return {template.name: template.render(values) for template in self._file_templates}

    @classmethod
    def task_fields(cls) -> tuple[TaskField, ...]:
        """Return the fields in the order of their definition, with where their values go."""
        return cls._task_fields

    @classmethod
    def result_adapter(cls) -> TypeAdapter[Any]:
        """Return what checks the result and says of which type it is."""
        return cls._result_adapter

    @classmethod
    def from_parameters(cls, parameters: dict[str, Any]) -> Self:
        """Validate parameters, such as a message brings.

        Raises:
            InvalidParameters: naming each field, its value and what is wrong.
        """
        try:
            return cls.model_validate(parameters)
        except ValidationError as error:
            known = [field.parameter for field in cls.task_fields()]
            problems = [parameter_problem(detail, known) for detail in error.errors()]
            raise InvalidParameters(cls.name, problems) from error

    def parameters(self) -> dict[str, Any]:
        """Return the parameters as JSON values."""
        return self.model_dump(mode="json", by_alias=True)

    def with_absolute_inputs(self, base: Path) -> Self:
        """Return a copy whose input files are named from the root, so that a worker elsewhere finds them."""
        values = {field.name: getattr(self, field.name) for field in self.task_fields() if field.output is None}
        resolved = {name: with_paths(value, lambda path: _absolute(path, base)) for name, value in values.items()}
        return self.model_copy(update={name: value for name, value in resolved.items() if value is not values[name]})

    def staged_outputs(self) -> dict[str, Path]:
        """Return what each output is called in the attempt's directory until it is moved into place, by field."""
        return staged_outputs(self)

    def with_staged_outputs(self, directory: Path) -> Self:
        """Return a copy as the program gets it: it writes its outputs under staged names, into the attempt's directory."""
        return with_staged_outputs(self, directory)

    def working_directory(self) -> Path | None:
        """Return the folder that a parameter names to be started in, `None` if the job's own is meant."""
        return next((getattr(self, field.name) for field in self.task_fields() if field.is_working_directory), None)

    @model_validator(mode="after")
    def _check_values(self) -> Self:
        for field in self.task_fields():
            value = getattr(self, field.name)
            for word in _words(value):
                if "\0" in word:
                    raise ValueError(f"{field.parameter}: a command line cannot hold a NUL character")
                if not _is_unicode(word):
                    raise ValueError(f"{field.parameter}={word!r}: is no Unicode text, and cannot be sent")
            if field.output and value is not None and not _is_output(value):
                raise ValueError(
                    f"{field.parameter}={str(value)!r}: name an output from the root, or relative to the job's directory, "
                    "inside it"
                )
        return self


def parameter_problem(detail: Any, known: Sequence[str]) -> str:
    """Return what is wrong with a parameter, as pydantic found it; `known` are the names that there are."""
    where = ".".join(map(str, detail["loc"]))
    match detail["type"]:
        case "extra_forbidden":
            hint = did_you_mean(where, known) if len(detail["loc"]) == 1 else ""
            return f"{where}: there is no such field{hint}"
        case "missing":
            return f"{where}: is required"
        case _:
            words = str(detail["msg"]).removeprefix("Value error, ")
            return f"{where}={detail['input']!r}: {words}" if where else words


def _absolute(path: Path, base: Path) -> Path:
    return base / (path.expanduser() if path.parts[:1] == ("~",) else path)


def _words(value: Any) -> list[str]:
    if isinstance(value, list | tuple):
        return [word for item in value for word in _words(item)]
    return [os.fspath(value)] if isinstance(value, str | Path) else []


def _is_unicode(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:  # half a surrogate pair, as Python makes of a file name that is no UTF-8
        return False
    return True


def _is_output(path: Path) -> bool:
    """Whether a path names a file; one from the root is looked at by the worker, which knows where it leads."""
    return path.name not in ("", "..") and (path.is_absolute() or ".." not in path.parts)
