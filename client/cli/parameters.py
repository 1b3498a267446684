"""`-p key=value` on the command line."""

import json
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import click
from pydantic import BaseModel

from ...config.errors import InvalidParameters
from ...tasks import TaskDescription

__all__ = ["file_option", "parameter_option", "task_from_words", "values_from_words"]

parameter_option: Callable[[Any], Any] = click.option(
    "-p",
    "--parameter",
    "words",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter of the task; again for each item of a list. A mapping, or a list of lists, is given as JSON.",
)

file_option: Callable[[Any], Any] = click.option(
    "-f",
    "--parameters",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A YAML file with parameters of the task; -p goes before it.",
)


def task_from_words(task: type[TaskDescription], words: Sequence[str]) -> TaskDescription:
    """Build a task from `key=value` words.

    Raises:
        InvalidParameters: naming each word or field that does not fit.
    """
    return task.from_parameters(values_from_words(task, words))


def values_from_words(task: type[TaskDescription], words: Sequence[str]) -> dict[str, Any]:
    """Return parameters by `key=value` words.

    A list takes each value given under its key. Text stays text: `0012` is `0012`; what is a mapping, or a list of such or
    of lists, is read as JSON.

    Raises:
        InvalidParameters: naming each word that does not fit.
    """
    lists = {field.parameter for field in task.task_fields() if field.is_list}
    nested = {f.parameter for f in task.task_fields() if _is_nested(task.model_fields[f.name].annotation)}
    values: dict[str, Any] = {}
    problems: list[str] = []
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            problems.append(f"{word!r} is not KEY=VALUE")
        elif key in lists - nested:
            values.setdefault(key, []).append(value)
        elif key in values:
            problems.append(f"{key} is given twice" + ("" if key in nested else " and is no list"))
        else:
            values[key] = _from_json(key, value, problems) if key in nested else value
    if problems:
        raise InvalidParameters(task.name, problems)
    return values


def _from_json(key: str, text: str, problems: list[str]) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        problems.append(f"{key}={text!r}: is no JSON: {error}")
        return None


def _is_nested(annotation: Any) -> bool:
    """Whether a value has parts that one word, or a list of words, cannot tell."""
    kinds = list(_kinds(annotation))
    if str in kinds or Any in kinds:  # then a word is a value
        return False
    return any(_is_mapping(kind) or any(map(_has_parts, get_args(kind))) for kind in kinds if kind is not Ellipsis)


def _has_parts(annotation: Any) -> bool:
    return any(_is_mapping(kind) or get_origin(kind) in (list, tuple) for kind in _kinds(annotation))


def _is_mapping(kind: Any) -> bool:
    cls = get_origin(kind) or kind
    return isinstance(cls, type) and (issubclass(cls, Mapping | BaseModel) or hasattr(cls, "__dataclass_fields__"))


def _kinds(annotation: Any) -> Iterator[Any]:
    """Yield the members of a union, or the annotation alone, without what is annotated."""
    if get_origin(annotation) is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for member in get_args(annotation):
            yield from _kinds(member)
    else:
        yield annotation
