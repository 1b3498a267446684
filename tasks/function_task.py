"""A plain function as a first-party task."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Generic, ParamSpec, Protocol, TypeVar, get_type_hints

from pydantic import Field, create_model

from .first_party import Task

__all__ = ["FunctionTask", "task"]

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class _Runs(Protocol[R_co]):
    def run(self) -> R_co: ...


class FunctionTask(Generic[P, R]):
    """A function that stays callable as it was, and can be submitted: `submit(add.s(1, 2))`."""

    def __init__(self, function: Callable[P, R]) -> None:
        """Make the task class of the function's parameters and return type.

        Raises:
            TypeError: when a parameter has no type or no name of its own, as `*args`, `**kwargs` and those before a `/`.
        """
        functools.update_wrapper(self, function)
        #: The function itself.
        self.function = function
        self._signature = inspect.signature(function)
        #: The first-party task whose fields are the function's parameters.
        self.task: type[Task] = self._make_class(function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function, here and now."""
        return self.function(*args, **kwargs)

    def s(self, *args: P.args, **kwargs: P.kwargs) -> _Runs[R]:
        """Return a task that will call the function with these arguments."""
        return self.task(**self._signature.bind(*args, **kwargs).arguments)

    def __reduce__(self) -> str:
        return self.function.__qualname__  # like a function: by its name

    def _make_class(self, function: Callable[..., Any]) -> type[Task]:
        hints = get_type_hints(function, include_extras=True)
        names = {name: _field_name(name) for name in self._signature.parameters}
        fields = {field: self._field(name, hints) for name, field in names.items()}

        def run(task: Task) -> Any:
            return function(**{name: getattr(task, field) for name, field in names.items()})

        def reduce(task: Task) -> tuple[Any, ...]:
            return _new, (self,), task.__getstate__()

        run.__annotations__ = {"return": hints.get("return", Any)}
        members = {"run": run, "__reduce__": reduce, "__doc__": function.__doc__, "__module__": function.__module__}
        base = type(function.__name__, (Task,), members)
        return create_model(function.__name__, __base__=base, __module__=function.__module__, **fields)

    def _field(self, name: str, hints: dict[str, Any]) -> Any:
        """Return the type and the default of a parameter's field, as pydantic wants them."""
        parameter, where = self._signature.parameters[name], self.function.__qualname__
        if name not in hints or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(f"{where}: say the type of the parameter {name!r}, by a name of its own")
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise TypeError(f"{where}: a task's parameters have names; take {name!r} from before the /")
        kind = hints[name] if _field_name(name) == name else Annotated[hints[name], Field(alias=name)]
        return kind, ... if parameter.default is parameter.empty else parameter.default


def _new(function: FunctionTask[..., Any]) -> Task:
    """Return a task without parameters: pickle brings them."""
    return function.task.__new__(function.task)


def _field_name(parameter: str) -> str:
    """Return a name for the parameter's field: its own, unless each task has that already or pydantic forbids it."""
    taken = parameter.startswith("_") or hasattr(Task, parameter)
    return f"parameter_{parameter}" if taken else parameter


def task(function: Callable[P, R]) -> FunctionTask[P, R]:
    """Make a task of a function whose parameters have types."""
    return FunctionTask(function)
