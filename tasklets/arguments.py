"""From arguments in JSON, as they travel, to those that a function's annotations ask for, and back. Pure."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from ..config.errors import InvalidTasklet

__all__ = ["Arguments", "bound", "fitted", "for_json", "has_reference", "literal_problems"]

#: Positional ones, and those by name.
Arguments = tuple[tuple[Any, ...], dict[str, Any]]

_JSON_TYPES = (str, int, float, bool, list, dict, type(None))
_LONGEST_SHOWN = 80


def for_json(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Arguments:
    """Return arguments as JSON values: a path becomes text, a tuple a list, a model a mapping.

    Raises:
        TypeError: naming the tasklet and what JSON cannot hold.
    """
    try:
        plain: Arguments = (
            tuple(map(to_jsonable_python, args)),
            {key: to_jsonable_python(kwargs[key]) for key in kwargs},
        )
    except (PydanticSerializationError, ValueError) as error:
        advice = "write it to a file and give the path, or refer to it as in '{{ result }}'"
        raise TypeError(f"{name}: an argument is no JSON ({error}); {advice}") from error
    return plain


def bound(name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Arguments:
    """Return the arguments if the function can be called with them.

    Raises:
        InvalidTasklet: when one is missing, unknown or too many.
    """
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError as error:
        takes = f"it takes {inspect.signature(function)}"
        raise InvalidTasklet(name, [f"{error}; {takes}"]) from error
    return tuple(args), dict(kwargs)


def fitted(name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Arguments:
    """Return the arguments as the function's annotations want them: a `Path` of text, a number of `"3"`.

    What is no JSON, and what has no annotation that pydantic knows, is handed over as it is.

    Raises:
        InvalidTasklet: naming each argument that does not fit.
    """
    problems: list[str] = []
    new_args, new_kwargs = list(args), dict(kwargs)
    for key, parameter, value in _places(name, function, args, kwargs):
        try:
            fit = _fit(function, parameter, value)
        except ValidationError as error:
            problems += _said(parameter, value, error)
            continue
        if isinstance(key, int):
            new_args[key] = fit
        else:
            new_kwargs[key] = fit
    if problems:
        raise InvalidTasklet(name, problems)
    return tuple(new_args), new_kwargs


def literal_problems(
    name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], *, unknown: frozenset[int]
) -> list[str]:
    """Return what is wrong with the arguments that are known already: not references, nor at the `unknown` places."""
    problems: list[str] = []
    for key, parameter, value in _places(name, function, args, kwargs):
        if key in unknown or has_reference(value):
            continue
        try:
            _fit(function, parameter, value)
        except ValidationError as error:
            problems += _said(parameter, value, error)
    return problems


def has_reference(value: Any) -> bool:
    """Say whether a JSON value holds a reference such as `{{ result }}` anywhere."""
    match value:
        case str():
            return "{{" in value
        case list() | tuple():
            return any(map(has_reference, value))
        case dict():
            return any(map(has_reference, value.values()))
        case _:
            return False


def _places(
    name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Iterator[tuple[int | str, str, Any]]:
    """Yield each argument's place in the call, the name of its parameter, and its value."""
    bound(name, function, args, kwargs)
    parameters = inspect.signature(function).parameters
    positional = [p.name for p in parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters.values() if p.kind is p.VAR_POSITIONAL), "")
    others = next((p.name for p in parameters.values() if p.kind is p.VAR_KEYWORD), "")
    for place, value in enumerate(args):
        yield place, positional[place] if place < len(positional) else rest, value
    for key, value in kwargs.items():
        yield key, key if key in parameters else others, value


def _fit(function: Callable[..., Any], parameter: str, value: Any) -> Any:
    adapter = _adapters(function).get(parameter)
    if adapter is None or not isinstance(value, _JSON_TYPES):
        return value
    try:
        return adapter.validate_python(value)
    except ValidationError:
        if not isinstance(value, str):
            raise
        try:
            return adapter.validate_json(value)  # a list or a mapping, from a command line
        except ValidationError:
            pass
        raise


@lru_cache(maxsize=1024)
def _adapters(function: Callable[..., Any]) -> dict[str, TypeAdapter[Any]]:
    """Return what checks and converts a value, by parameter, where the annotation says so."""
    found: dict[str, TypeAdapter[Any]] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.annotation is parameter.empty:
            continue
        holder: Any = SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
        try:
            hints = get_type_hints(holder, globalns=getattr(function, "__globals__", {}), include_extras=True)
            found[parameter.name] = TypeAdapter(hints[parameter.name])
        except (NameError, PydanticUserError):  # a name for type checkers alone, or a class that pydantic does not know
            continue
    return found


def _said(parameter: str, value: Any, error: ValidationError) -> list[str]:
    shown = repr(value)
    shown = shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"
    return [f"{parameter}={shown}: {detail['msg']}" for detail in error.errors()[:1]]
