"""The paths among a tasklet's arguments, so that whoever runs it can say which it may touch."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from .arguments import fitted, parameters_of
from .decorator import Tasklet

__all__ = ["PathArgument", "Written", "WrittenPath", "path_arguments"]


class Written:
    """Marks a parameter, `Annotated[Path, Written()]`, whose file the tasklet makes, changes or takes away."""


WrittenPath = Annotated[Path, Written()]


@dataclass(frozen=True)
class PathArgument:
    """A path that a tasklet gets."""

    parameter: str
    path: Path
    is_written: bool


def path_arguments(
    tasklet: Tasklet[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Iterator[PathArgument]:
    """Yield the paths among a call's arguments, as the function's annotations make them.

    Raises:
        InvalidTasklet: when an argument does not fit.
    """
    function = tasklet.function
    fits, named = fitted(tasklet.name, function, args, kwargs)
    written = _written(function)
    for parameter, value in zip(parameters_of(function, len(fits), named), (*fits, *named.values()), strict=True):
        yield from (PathArgument(parameter, path, parameter in written) for path in _paths(value))


def _written(function: Any) -> set[str]:
    if not any("Written" in str(parameter.annotation) for parameter in inspect.signature(function).parameters.values()):
        return set()  # names for type checkers alone cannot be looked up, and need not be
    hints = get_type_hints(function, include_extras=True)
    return {
        name
        for name, hint in hints.items()
        if any(isinstance(marker, Written) for marker in getattr(hint, "__metadata__", ()))
    }


def _paths(value: Any) -> Iterator[Path]:
    match value:
        case Path():
            yield value
        case list() | tuple() | set():
            yield from (path for inner in value for path in _paths(inner))
        case dict():
            yield from (path for inner in value.values() for path in _paths(inner))
