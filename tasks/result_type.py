"""The type of a job's result, as an annotation says it."""

import functools
from typing import Any, NewType

from pydantic import ConfigDict, TypeAdapter

__all__ = ["adapter_of"]

#: To make one takes a tenth of what a job takes that does nothing.
_MOST_KEPT = 128


def adapter_of(annotation: Any) -> TypeAdapter[Any]:
    """Return what reads and writes values of a type that may hold classes which pydantic does not know, such as arrays.

    For a plain dataclass pydantic takes no settings, for another name of it, it does; a model has settings of its own.
    """
    return _kept(annotation) if isinstance(annotation, type) else _made(annotation)


@functools.lru_cache(_MOST_KEPT)
def _kept(annotation: type) -> TypeAdapter[Any]:
    """Make it once for a class, such as `Any`; other annotations may equal each other and mean different things."""
    return _made(annotation)


def _made(annotation: Any) -> TypeAdapter[Any]:
    another_name: Any = NewType  # type checkers want it in an assignment of its own
    return TypeAdapter(another_name("Result", annotation), config=ConfigDict(arbitrary_types_allowed=True))
