"""From a program's file to its class."""

import re
import types
from pathlib import Path
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError, create_model

from ...config.errors import InvalidFile
from ..description import TaskDescription
from ..fields import task_fields
from ..files import Document, Place, validation_problems
from ..third_party import ThirdPartyTask
from .parameter_entry import ParameterEntry
from .program_file import ProgramFile

__all__ = ["described_program"]

_TAKEN = ThirdPartyTask.__class_vars__ | {"templates"}
_NAMED = re.compile(r"Value error, (\w+)[=:]")
_STREAMS = ("stdout", "stderr")


def described_program(document: Document) -> type[ThirdPartyTask]:
    """Return the task that a document describes.

    Raises:
        InvalidFile: naming each problem with its line.
    """
    try:
        file = ProgramFile.model_validate(document.mapping("a program's description"))
    except ValidationError as error:
        raise document.invalid(validation_problems(document, error.errors(), ProgramFile)) from error
    return _Description(document, file).task()


class _Description:
    """One file on its way to a class."""

    def __init__(self, document: Document, file: ProgramFile) -> None:
        self._document = document
        self._file = file
        self._name = file.name or document.path.stem.replace("-", "_")
        self._class_name = "".join(word.capitalize() for word in self._name.split("_"))
        self._field_of = {name: _field_name(name) for name in file.parameters}

    def task(self) -> type[ThirdPartyTask]:
        """Return the class.

        Raises:
            InvalidFile: naming each problem with its line.
        """
        if problems := [*self._name_problems(), *self._file_problems(), *self._result_problems()]:
            raise self._document.invalid(problems)
        try:
            members = self._members()
            made: type[ThirdPartyTask] = types.new_class(
                self._class_name, (ThirdPartyTask,), exec_body=lambda namespace: namespace.update(members)
            )
        except TypeError as error:
            raise self._blame(error) from error
        self._check_defaults()
        return made

    def _members(self) -> dict[str, Any]:
        file, fields = self._file, {self._field_of[name]: entry for name, entry in self._file.parameters.items()}
        members: dict[str, Any] = {
            "__module__": __name__,
            "__qualname__": self._class_name,
            "__doc__": file.description,
            "__annotations__": {"templates": ClassVar[dict[str, Path]]},
            "described_in": self._document.path,
            "name": self._name,
            "executable": self._executable(),
            "subcommand": tuple(file.subcommand),
            "version_arguments": tuple(file.version_arguments),
            "progress": file.progress and file.progress.description(self._field_of),
            "environment": self._environment(),
            "templates": {name: self._document.folder / template for name, template in file.templates.items()},
        }
        members |= {name: getattr(file, name) for name in ("version", "buffering", "limits", "retry", "exclusive")}
        for name, entry in file.parameters.items():
            members["__annotations__"][self._field_of[name]] = self._annotation(name, entry)
        members |= {name: entry.default for name, entry in fields.items() if not entry.is_required}
        if file.result:
            members["read_result"] = file.result.reader(self._field_of.get(file.result.read))
        return members

    def _annotation(self, name: str, entry: ParameterEntry) -> Any:
        return entry.annotation(name, None if self._field_of[name] == name else name)

    def _executable(self) -> str:
        executable = self._file.executable
        return str(self._document.folder / executable) if "/" in executable else executable

    def _environment(self) -> Any:
        """Return the environment as a class may have it."""
        given = self._file.environment
        try:
            return TypeAdapter(_environment_kind(given)).validate_python(given)
        except ValidationError as error:
            found = validation_problems(self._document, error.errors(), ProgramFile, ("environment",))
            raise self._document.invalid(found) from error

    def _name_problems(self) -> list[str]:
        if self._name.isidentifier() and self._name.islower():
            return []
        return [f"line 1: {self._name!r} cannot be a task's name: rename the file, or write name: …"]

    def _file_problems(self) -> list[str]:
        return [
            self._problem(("templates", name), f"there is no file {self._document.folder / template}")
            for name, template in self._file.templates.items()
            if not (self._document.folder / template).is_file()
        ]

    def _result_problems(self) -> list[str]:
        result, parameters = self._file.result, self._file.parameters
        if result is None:
            return []
        outputs = [name for name, entry in parameters.items() if entry.output or entry.stdout]
        if result.read not in (*_STREAMS, *outputs):
            known = ", ".join((*_STREAMS, *outputs))
            return [self._problem(("result", "read"), f"{result.read!r} is no output; there are {known}")]
        taken = [name for name, entry in parameters.items() if entry.stdout]
        if result.read == "stdout" and taken:
            return [self._problem(("result", "read"), f"standard output goes to {taken[0]!r}; read that")]
        return []

    def _blame(self, error: TypeError) -> InvalidFile:
        """Find the parameters that a class cannot be made of; or else the part that the error names."""
        problems = []
        for name, entry in self._file.parameters.items():
            field: dict[str, Any] = {self._field_of[name]: (self._annotation(name, entry), ...)}
            try:
                task_fields(create_model(self._class_name, **field))
            except TypeError as cause:
                problems.append(self._problem(("parameters", name), str(cause).partition(" ")[2].lstrip()))
        return self._document.invalid(problems or [self._whole_problem(str(error))])

    def _whole_problem(self, words: str) -> str:
        """Return a problem with the part of the file that it names, where it names one."""
        words = words.removeprefix(self._class_name).lstrip(".: ")
        part = words.partition(" ")[0].rstrip(":")
        return self._document.problem((part if part in self._document.value else "parameters",), words)

    def _check_defaults(self) -> None:
        """Make sure that the values which the file gives are good; those that a job must give are left out."""
        given = {name: entry for name, entry in self._file.parameters.items() if not entry.is_required}
        fields: dict[str, Any] = {self._field_of[n]: (self._annotation(n, e), e.default) for n, e in given.items()}
        try:
            create_model(self._class_name, __base__=ThirdPartyTask, **fields).model_validate({})
        except ValidationError as error:
            raise self._document.invalid([self._default_problem(detail) for detail in error.errors()]) from error

    def _default_problem(self, detail: Any) -> str:
        named = _NAMED.match(detail["msg"])  # by a check of all fields together
        name, *inner = detail["loc"] or (named[1] if named else "",)
        moved: Any = {**detail, "loc": ("parameters", name, "default", *inner)}
        (problem,) = validation_problems(self._document, [moved], ProgramFile)
        return problem

    def _problem(self, place: Place, words: str) -> str:
        return self._document.problem(place, f"{'.'.join(map(str, place))}: {words}")


def _environment_kind(given: dict[str, Any]) -> Any:
    """Return what an environment is to be: a model if a class may have one and its keys are given, else variables."""
    (kind,) = get_args(get_type_hints(TaskDescription)["environment"])
    kinds = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    models = [each for each in kinds if isinstance(each, type) and issubclass(each, BaseModel)]
    return next((each for each in models if given and given.keys() <= each.model_fields.keys()), dict[str, str])


def _field_name(parameter: str) -> str:
    """Return a name for a parameter's field: its own, unless each task has that already or pydantic forbids it."""
    taken = parameter in _TAKEN or hasattr(ThirdPartyTask, parameter) or parameter.startswith(("_", "model_"))
    return f"parameter_{parameter}" if taken else parameter
