"""From a program's file to its class."""

import types
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..environment import Environment
from ..files import Document, validation_problems
from ..template_file import template_text
from ..third_party import ThirdPartyTask
from .mistakes import default_mistakes, mistakes, mistakes_behind
from .program_file import ProgramFile
from .program_reading import ProgramReading

__all__ = ["described_program"]

#: What a file and a class call by one name, and mean alike.
_ALIKE = ("version", "buffering", "limits", "retry", "exclusive")


def described_program(document: Document) -> type[ThirdPartyTask]:
    """Return the task that a document describes.

    Raises:
        InvalidFile: naming each problem with its line.
    """
    try:
        file = ProgramFile.model_validate(document.mapping("a program's description"))
    except ValidationError as error:
        raise document.invalid(validation_problems(document, error.errors(), ProgramFile)) from error
    reading = ProgramReading(document, file)
    if problems := mistakes(reading):
        raise document.invalid(problems)
    members = _members(reading)
    try:
        made: type[ThirdPartyTask] = types.new_class(
            reading.class_name, (ThirdPartyTask,), exec_body=lambda namespace: namespace.update(members)
        )
    except TypeError as error:
        raise document.invalid(mistakes_behind(error, reading)) from error
    if problems := default_mistakes(reading):
        raise document.invalid(problems)
    return made


def _members(reading: ProgramReading) -> dict[str, Any]:
    """Return what the body of the class would define."""
    file, folder = reading.file, reading.document.folder
    members: dict[str, Any] = {
        "__module__": __name__,
        "__qualname__": reading.class_name,
        "__doc__": file.description,
        "__annotations__": {reading.field_of[name]: reading.annotation(name) for name in file.parameters},
        "described_in": reading.document.path,
        "name": reading.name,
        "executable": str(folder / file.executable) if "/" in file.executable else file.executable,
        "subcommand": tuple(file.subcommand),
        "version_arguments": tuple(file.version_arguments),
        "progress": file.progress and file.progress.description(reading.field_of),
        "environment": _environment(reading),
        **reading.calls,
        "templates": {name: template_text(folder / template) for name, template in file.templates.items()},
        **{name: getattr(file, name) for name in _ALIKE},
    }
    for name, entry in file.parameters.items():
        if not entry.is_required:
            members[reading.field_of[name]] = entry.default
    if file.result:
        members["read_result"] = file.result.reader(reading.field_of.get(file.result.read))
    return members


def _environment(reading: ProgramReading) -> Any:
    """Return the environment as a class has it: what only an `Environment` can be is one, all else is variables."""
    given = reading.file.environment
    kind: Any = Environment if given and given.keys() <= Environment.model_fields.keys() else dict[str, str]
    try:
        return TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        found = validation_problems(reading.document, error.errors(), ProgramFile, ("environment",))
        raise reading.document.invalid(found) from error
