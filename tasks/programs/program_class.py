"""From a program's file to its class."""

import types
from pathlib import Path
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from ..description import TaskDescription
from ..files import Document, validation_problems
from ..third_party import ThirdPartyTask
from .mistakes import default_mistakes, mistakes, mistakes_behind
from .program_file import ProgramFile
from .program_reading import ProgramReading

__all__ = ["described_program"]

_VARIABLES = dict[str, str]
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
    annotations: dict[str, Any] = {reading.field_of[name]: reading.annotation(name) for name in file.parameters}
    members: dict[str, Any] = {
        "__module__": __name__,
        "__qualname__": reading.class_name,
        "__doc__": file.description,
        "__annotations__": {"templates": ClassVar[dict[str, str]], **annotations},
        "described_in": reading.document.path,
        "name": reading.name,
        "executable": str(folder / file.executable) if "/" in file.executable else file.executable,
        "subcommand": tuple(file.subcommand),
        "version_arguments": tuple(file.version_arguments),
        "progress": file.progress and file.progress.description(reading.field_of),
        "environment": _environment(reading),
        "templates": {name: (folder / template).read_text("utf-8") for name, template in file.templates.items()},
        **{name: getattr(file, name) for name in _ALIKE},
    }
    for name, entry in file.parameters.items():
        if not entry.is_required:
            members[reading.field_of[name]] = entry.default
    if file.result:
        members["read_result"] = file.result.reader(reading.field_of.get(file.result.read))
    return members


def _environment(reading: ProgramReading) -> Any:
    """Return the environment as a class may have it."""
    given = reading.file.environment
    if (kind := _environment_kind(given)) is not _VARIABLES and isinstance(scripts := given.get("source"), list):
        given = given | {"source": [_script(reading.document.folder, script) for script in scripts]}
    try:
        return TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        found = validation_problems(reading.document, error.errors(), ProgramFile, ("environment",))
        raise reading.document.invalid(found) from error


def _environment_kind(given: dict[str, Any]) -> Any:
    """Return what an environment is to be: a model if a class may have one and its keys are given, else variables."""
    (kind,) = get_args(get_type_hints(TaskDescription)["environment"])
    kinds = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    models = [each for each in kinds if isinstance(each, type) and issubclass(each, BaseModel)]
    return next((each for each in models if given and given.keys() <= each.model_fields.keys()), _VARIABLES)


def _script(folder: Path, script: Any) -> Any:
    """Return a script, a path or a list of a path and arguments, with the path beginning at the root or at a home."""
    match script:
        case [str(path), *arguments]:
            return [_script(folder, path), *arguments]
        case str() if not script.startswith("~"):
            return str(folder / script)
        case _:
            return script
