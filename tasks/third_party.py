"""A program that we do not own, described as one class."""

import os
import re
from pathlib import Path
from typing import Any, ClassVar, Self, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from ..config import Limits, RetryPolicy
from ..config.errors import InvalidParameters
from .argv import build_argv
from .fields import TaskField, task_fields
from .program_run import ProgramRun

__all__ = ["ThirdPartyTask"]


class ThirdPartyTask(BaseModel):
    """What to run, as data: class variables describe the program, fields are its typed parameters.

    >>> from typing import Annotated
    >>> from outrider import Flag, Positional
    >>> class CountLines(ThirdPartyTask):
    ...     executable = "wc"
    ...     lines: Annotated[bool, Flag("-l")] = True
    ...     file: Annotated[Path, Positional()]
    ...
    ...     def read_result(self, run: ProgramRun) -> int:
    ...         return int(run.stdout.split()[0])
    >>> CountLines(file="notes.txt").argv()
    ('wc', '-l', 'notes.txt')
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, ser_json_inf_nan="constants")

    #: The program: a name to be found on PATH, or a path.
    executable: ClassVar[str]
    #: Words between the executable and its options, such as the name of a sub-command.
    subcommand: ClassVar[tuple[str, ...]] = ()
    #: The task's name; default: the class's in snake_case.
    name: ClassVar[str] = ""
    #: The version of this description; it goes into the record.
    version: ClassVar[str] = "1"
    #: A regular expression with a group `percent`, or `done` and `total`, that finds progress in the output.
    progress: ClassVar[str | None] = None
    #: Arguments that make the program print its version; empty: it is not asked.
    version_arguments: ClassVar[tuple[str, ...]] = ()
    #: Bounds on run time, silence, memory and so on.
    limits: ClassVar[Limits] = Limits()
    #: Which ends are followed by another attempt.
    retry: ClassVar[RetryPolicy] = RetryPolicy()
    #: Whether two attempts must never run at the same time, even if that means to stop one that cannot reach the ledger.
    exclusive: ClassVar[bool] = False
    #: Variables set for the program.
    environment: ClassVar[dict[str, str]] = {}

    _task_fields: ClassVar[tuple[TaskField, ...]] = ()
    _result_adapter: ClassVar[TypeAdapter[Any]]

    @classmethod
    def __pydantic_init_subclass__(cls, **_kwargs: Any) -> None:
        """Check the description and look up what is asked for at each job."""
        if "name" not in cls.__dict__:
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower()
        cls._task_fields = task_fields(cls)
        own = cls.read_result is not ThirdPartyTask.read_result
        cls._result_adapter = TypeAdapter(get_type_hints(cls.read_result).get("return", Any) if own else ProgramRun)

    def read_result(self, run: ProgramRun) -> Any:
        """Return the job's result, from what the program left; override it with a return type of your own.

        It runs in the worker, after a program that ended with exit code 0 and left its declared outputs. The type may be
        anything that pydantic can write as JSON. Without an override the result is the `ProgramRun`.
        """
        return run

    def input_files(self) -> dict[str, str]:
        """Return small text files that the program needs in its working directory, such as its configuration, by name."""
        return {}

    def argv(self) -> tuple[str, ...]:
        """Return the executable and its arguments, one word each."""
        return build_argv(self)

    @classmethod
    def task_fields(cls) -> tuple[TaskField, ...]:
        """Return the fields in the order of their definition, with where their values go."""
        return cls._task_fields

    @classmethod
    def result_adapter(cls) -> TypeAdapter[Any]:
        """Return what reads and writes the result as JSON."""
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
            raise InvalidParameters(cls.name, [_problem(detail) for detail in error.errors()]) from error

    def parameters(self) -> dict[str, Any]:
        """Return the parameters as JSON values."""
        return self.model_dump(mode="json")

    def with_absolute_inputs(self, base: Path) -> Self:
        """Return a copy whose input files are named from the root, so that a worker elsewhere finds them."""
        resolved = {f.name: _absolute(getattr(self, f.name), base) for f in self.task_fields() if f.is_input}
        return self.model_copy(update=resolved)

    @model_validator(mode="after")
    def _check_values(self) -> Self:
        for field in self.task_fields():
            value = getattr(self, field.name)
            for word in _words(value):
                if "\0" in word:
                    raise ValueError(f"{field.name}: a command line cannot hold a NUL character")
                if not _is_unicode(word):
                    raise ValueError(f"{field.name}={word!r}: is no Unicode text, and cannot be sent")
            if field.output and value is not None and not _stays_inside(value):
                raise ValueError(
                    f"{field.name}={str(value)!r}: name an output relative to the job's directory, inside it"
                )
        return self


def _problem(detail: Any) -> str:
    where = ".".join(map(str, detail["loc"]))
    if detail["type"] in ("extra_forbidden", "missing"):
        return f"{where}: {'there is no such field' if detail['type'] == 'extra_forbidden' else 'is required'}"
    return f"{where}={detail['input']!r}: {detail['msg']}" if where else str(detail["msg"])


def _absolute(value: Any, base: Path) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_absolute(item, base) for item in value)
    if isinstance(value, Path):
        return base / (value.expanduser() if value.parts[:1] == ("~",) else value)
    return value


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


def _stays_inside(path: Path) -> bool:
    return not path.is_absolute() and ".." not in path.parts and path.parts != ()
