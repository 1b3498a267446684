"""The type of a job's result, as an annotation says it."""

import functools
from typing import Any, NewType

from pydantic import ConfigDict, TypeAdapter

__all__ = ["adapter_of"]


def adapter_of(annotation: Any) -> TypeAdapter[Any]:
    """Return what reads and writes values of a type that may hold classes which pydantic does not know, such as arrays.

    For a plain dataclass pydantic takes no settings, for another name of it, it does; a model has settings of its own.
    """
    return _any() if annotation is Any else _made(annotation)


@functools.cache
def _any() -> TypeAdapter[Any]:
    return _made(Any)


def _made(annotation: Any) -> TypeAdapter[Any]:
    another_name: Any = NewType  # type checkers want it in an assignment of its own
    return TypeAdapter(another_name("Result", annotation), config=ConfigDict(arbitrary_types_allowed=True))
