"""What is wrong with a program's description beyond the shape of its parts, with the lines."""

import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError, create_model

from ..fields import task_fields
from ..files import validation_problems
from ..template_file import template_text
from ..third_party import ThirdPartyTask
from .program_file import ProgramFile
from .program_reading import ProgramReading

__all__ = ["default_mistakes", "mistakes", "mistakes_behind"]

_NAMED = re.compile(r"Value error, (\w+)[=:]")
_STREAMS = ("stdout", "stderr")
#: The keys of the file that the errors of a class call otherwise.
_KEYS = {"template": "templates", "standard": "buffering"}


def mistakes(reading: ProgramReading) -> list[str]:
    """Return what can be told from the file alone."""
    found = [
        reading.problem(("templates", name), words)
        for name, template in reading.file.templates.items()
        if (words := _template_mistake(reading.document.folder / template))
    ]
    if not (reading.name.isidentifier() and reading.name.islower()):
        found.append(f"line 1: {reading.name!r} cannot be a task's name: rename the file, or write name: …")
    found += reading.tasklet_problems
    if words := _result_mistake(reading):
        found.append(reading.problem(("result", "read"), words))
    return found


def mistakes_behind(error: TypeError, reading: ProgramReading) -> list[str]:
    """Find the parameters that no class can be made of, or else the part of the file that the error names."""
    found = []
    for name in reading.file.parameters:
        field: dict[str, Any] = {reading.field_of[name]: (reading.annotation(name), ...)}
        try:
            task_fields(create_model(reading.class_name, **field))
        except TypeError as cause:
            found.append(reading.problem(("parameters", name), str(cause).partition(" ")[2].lstrip()))
    return found or [_whole_mistake(str(error), reading)]


def default_mistakes(reading: ProgramReading) -> list[str]:
    """Return what is wrong with the values that the file gives; those that a job must give are left out."""
    given = {name: entry for name, entry in reading.file.parameters.items() if not entry.is_required}
    fields: dict[str, Any] = {
        reading.field_of[name]: (reading.annotation(name), entry.default) for name, entry in given.items()
    }
    try:
        create_model(reading.class_name, __base__=ThirdPartyTask, **fields).model_validate({})
    except ValidationError as error:
        moved: list[Any] = [{**detail, "loc": _place_of(detail)} for detail in error.errors()]
        return validation_problems(reading.document, moved, ProgramFile)
    return []


def _place_of(detail: Any) -> tuple[str | int, ...]:
    named = _NAMED.match(detail["msg"])  # by a check of all fields together
    name, *inner = detail["loc"] or (named[1] if named else "",)
    return ("parameters", name, "default", *inner)


def _whole_mistake(words: str, reading: ProgramReading) -> str:
    words = words.removeprefix(reading.class_name).lstrip(".: ")
    part = words.partition(" ")[0].rstrip(":")
    key = _KEYS.get(part, part)
    return reading.document.problem((key if key in reading.document.value else "parameters",), words)


def _template_mistake(template: Path) -> str:
    try:
        template_text(template)
    except ValueError as error:
        return str(error)
    return ""


def _result_mistake(reading: ProgramReading) -> str:
    result, parameters = reading.file.result, reading.file.parameters
    if result is None:
        return ""
    outputs = [name for name, entry in parameters.items() if entry.output or entry.stdout]
    if result.read not in (*_STREAMS, *outputs):
        return f"{result.read!r} is no output; there are {', '.join((*_STREAMS, *outputs))}"
    taken = [name for name, entry in parameters.items() if entry.stdout]
    return f"standard output goes to {taken[0]!r}; read that" if result.read == "stdout" and taken else ""
