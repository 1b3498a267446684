"""From pydantic's errors to problems of a file, each with its line, the place in the document and what is wrong."""

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from ...config import did_you_mean
from .document import Document, Place

__all__ = ["validation_problems"]

_LONGEST_VALUE = 80
_NEEDS_TEXT = ("string_type", "path_type", "literal_error", "enum")


def validation_problems(
    document: Document, errors: Iterable[ErrorDetails], model: type[BaseModel], place: Place = ()
) -> list[str]:
    """Return a sentence for each error.

    Args:
        document: the file that was validated.
        errors: what pydantic found.
        model: the class that was asked for, whose names are the known ones.
        place: the part of the document that was validated.
    """
    return [_problem(document, detail, model, place) for detail in errors]


def _problem(document: Document, detail: ErrorDetails, model: type[BaseModel], place: Place) -> str:
    loc: Place = detail["loc"]
    where = document.part((*place, *loc))
    name = _dotted(where)
    match detail["type"]:
        case "missing":
            missing = where if where == (*place, *loc) else (*where, loc[-1])
            return document.problem(where, f"{_dotted(missing)}: is required")
        case "extra_forbidden":
            known = sorted(_names(model, loc[:-1]))
            return document.problem(where, f"{name}: there is no such key{did_you_mean(str(loc[-1]), known)}")
        case _:
            words = detail["msg"].removeprefix("Value error, ")
            about_all = detail["type"] == "value_error" and isinstance(detail["input"], dict | BaseModel)
            if len(where) <= len(place) or about_all:
                return document.problem(where, f"{name}: {words}" if name else words)
            return document.problem(where, f"{name}={_shown(detail['input'])}: {words}{_hint(document, detail, where)}")


def _hint(document: Document, detail: ErrorDetails, where: Place) -> str:
    """Say how to make text of what YAML took for something else."""
    written, value = document.written(where), detail["input"]
    if detail["type"] in _NEEDS_TEXT and isinstance(value, bool | int | float):
        return (
            f'; write it in quotes: "{written}"' if "{{" not in written else "; write it in quotes where it is defined"
        )
    return ""


def _dotted(place: Place) -> str:
    return ".".join(map(str, place))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _names(model: type[BaseModel], loc: Place) -> set[str]:
    """Return the keys that a model, or the ones inside it on the way to a place, take."""
    models = [model]
    for part in loc:
        found = [inner for outer in models for inner in _models_at(outer, part)]
        models = found or models
    return {info.alias or name for each in models for name, info in each.model_fields.items()}


def _models_at(model: type[BaseModel], part: str | int) -> Iterator[type[BaseModel]]:
    for name, info in model.model_fields.items():
        if part in (name, info.alias):
            yield from _models_in(info.annotation)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
