"""Types and defaults of parameters, as people read them."""

import types
from enum import Enum
from pathlib import PurePath
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

__all__ = ["default_text", "type_text"]


def type_text(annotation: Any) -> str:
    """Return a type in words.

    >>> from pathlib import Path
    >>> [type_text(kind) for kind in (Literal["a", "b"], list[Path], int | None, dict[str, int])]
    ['a | b', 'list[Path]', 'int | None', 'dict[str, int]']
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_text(arguments[0])
    if origin is Literal:
        return " | ".join(map(str, arguments))
    if origin in (Union, types.UnionType):
        return " | ".join(type_text(argument) for argument in arguments)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " | ".join(str(member.value) for member in annotation)
    if arguments and origin is not None:
        return f"{_name(origin)}[{', '.join(type_text(argument) for argument in arguments)}]"
    return _name(annotation)


def default_text(info: FieldInfo) -> str:
    """Return a parameter's default as it would be written."""
    if info.is_required():
        return "required"
    if info.default_factory_takes_validated_data:
        return "follows from others"
    return _plain(info.get_default(call_default_factory=True))


def _plain(value: Any) -> str:
    match value:
        case Enum():
            return repr(value.value)
        case PurePath():
            return str(value)
        case list() | tuple():
            return f"[{', '.join(map(_plain, value))}]"
        case _:
            return repr(value)


def _name(kind: Any) -> str:
    if kind is type(None):
        return "None"
    return "…" if kind is Ellipsis else str(getattr(kind, "__name__", kind)).replace("typing.", "")
