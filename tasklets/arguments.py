"""From arguments in JSON, as they travel, to those that a function's annotations ask for, and back. Pure."""

import contextlib
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from ..config.errors import InvalidTasklet

__all__ = ["Arguments", "bound", "fitted", "for_json", "has_reference", "literal_problems", "parameters_of"]

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
    args, kwargs = bound(name, function, args, kwargs)
    parameters = parameters_of(function, len(args), kwargs)
    problems: list[str] = []
    fits = [_fit(function, *one, problems) for one in zip(parameters, (*args, *kwargs.values()), strict=True)]
    if problems:
        raise InvalidTasklet(name, problems)
    return tuple(fits[: len(args)]), dict(zip(kwargs, fits[len(args) :], strict=True))


def literal_problems(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], *, unknown: int
) -> list[str]:
    """Return what is wrong with those arguments that are known already: not references, nor the first `unknown` ones."""
    values = (*args, *kwargs.values())
    problems: list[str] = []
    for number, parameter in enumerate(parameters_of(function, len(args), kwargs)):
        if number >= unknown and not has_reference(values[number]):
            _fit(function, parameter, values[number], problems)
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


def parameters_of(function: Callable[..., Any], positional: int, named: Iterable[str]) -> list[str]:
    """Return the name of the parameter that each argument is for."""
    parameters = inspect.signature(function).parameters
    kinds: dict[Any, list[str]] = defaultdict(list)
    for parameter in parameters.values():
        kinds[parameter.kind].append(parameter.name)
    rest = kinds[inspect.Parameter.VAR_POSITIONAL] * positional
    places = [*kinds[inspect.Parameter.POSITIONAL_ONLY], *kinds[inspect.Parameter.POSITIONAL_OR_KEYWORD], *rest]
    others = kinds[inspect.Parameter.VAR_KEYWORD]
    return [*places[:positional], *(name if name in parameters else others[0] for name in named)]


def _fit(function: Callable[..., Any], parameter: str, value: Any, problems: list[str]) -> Any:
    """Return the value as the annotation wants it; what is wrong is added to the problems."""
    adapter = _adapters(function).get(parameter)
    if adapter is None or not isinstance(value, _JSON_TYPES):
        return value
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        if isinstance(value, str):
            with contextlib.suppress(ValidationError):
                return adapter.validate_json(value)  # a list or a mapping, from a command line
        shown = repr(value)
        shown = shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"
        problems.append(f"{parameter}={shown}: {error.errors()[0]['msg']}")
        return value


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
