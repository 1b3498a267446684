"""The way that one reference describes: a name, then keys and positions; and following it, step by step."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from .near_names import did_you_mean

__all__ = ["REFERENCE", "TOKEN", "follow", "root_name", "steps_of"]

#: A regular expression for a whole reference; between quotes anything may stand.
REFERENCE = r"\{\{(?:[^{}\"]|\"[^\"]*\")*\}\}"
#: What has a meaning within text: the escape, a reference, or the begin of one that never ends.
TOKEN = re.compile(rf"\\\{{\{{|{REFERENCE}|\{{\{{")

_NAME = re.compile(r"[^\W\d][\w-]*")
_STEP = re.compile(rf"\.({_NAME.pattern})|\[(\d{{1,9}})\]|\[\"([^\"]*)\"\]")


def follow(reference: str, context: Mapping[str, Any]) -> Any:
    """Return the value that a reference leads to: into mappings, lists and the fields of models, and nothing else.

    Raises:
        LookupError: saying where the way ends, and what is known there.
    """
    value: Any = context
    for step in steps_of(reference):
        value = _item(value, step) if isinstance(step, int) else _part(value, step)
    return value


def steps_of(reference: str) -> list[str | int]:
    """Return the name that a reference begins with, and the keys and positions that follow.

    Raises:
        LookupError: when it is no reference.
    """
    inner = reference[2:-2].strip()
    name = root_name(reference)
    steps: list[str | int] = [name] if name else []
    end = len(name)
    while steps and (match := _STEP.match(inner, end)):
        key, number, quoted = match.groups()
        steps.append(int(number) if number else key if key is not None else quoted)
        end = match.end()
    if not steps or end < len(inner):
        raise LookupError('this is none of {{ name }}, {{ name.key }}, {{ name[0] }} and {{ name["key"] }}')
    return steps


def root_name(reference: str) -> str:
    """Return the name that a reference begins with."""
    match = _NAME.match(reference[2:].lstrip())
    return match[0] if match else ""


def _item(value: Any, number: int) -> Any:
    match value:
        case list() | tuple() if number < len(value):
            return value[number]
        case list() | tuple():
            raise LookupError(f"there is no [{number}] in a list of {len(value)}")
        case _:
            raise LookupError(f"[{number}] is for lists, and this is {_kind(value)}")


def _part(value: Any, key: str) -> Any:
    match value:
        case Mapping():
            known: Iterable[Any] = value.keys()
        case BaseModel():
            known = type(value).model_fields
        case _:
            raise LookupError(f"there is no {key!r} in {_kind(value)}")
    if key not in known:
        raise LookupError(f"there is no {key!r}{did_you_mean(key, [str(name) for name in known])}")
    return value[key] if isinstance(value, Mapping) else getattr(value, key)


def _kind(value: Any) -> str:
    return "null" if value is None else f"a value of type {type(value).__name__}"
