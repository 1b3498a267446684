"""A plain function as a tasklet."""

import functools
import inspect
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Generic, ParamSpec, TypeVar, overload

from pydantic import TypeAdapter, ValidationError

from ..config import Duration
from .arguments import fitted, for_json

__all__ = ["CELERY_PREFIX", "NAME_PATTERN", "Tasklet", "tasklet"]

P = ParamSpec("P")
R = TypeVar("R")

CELERY_PREFIX = "outrider.tasklets."

#: What a tasklet may be called: a word on a command line, and part of the name of a Celery task.
NAME_PATTERN = r"[A-Za-z_][A-Za-z0-9_.-]{0,99}"

_DURATION: TypeAdapter[timedelta] = TypeAdapter(Duration)


class Tasklet(Generic[P, R]):
    """A function that stays callable as it was, and can run before or after a job: `plot.s(title="LaB6")`.

    It is pickled like a function, by its name.
    """

    def __init__(
        self, function: Callable[P, R], name: str = "", time_limit: timedelta | float | str | None = None
    ) -> None:
        """Wrap a function.

        Raises:
            TypeError: when it is no plain function, or its name or time limit is none.
        """
        functools.update_wrapper(self, function)
        #: The function itself.
        self.function = function
        #: The name by which jobs ask for it.
        self.name = name or getattr(function, "__name__", repr(function))
        #: How long it may take, unless a job says otherwise; `None`: the Executor's limit.
        self.time_limit = _time_limit(self.name, time_limit)
        _check(function, self.name)
        self._signature = inspect.signature(function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function, here and now."""
        return self.function(*args, **kwargs)

    def run(self, *args: Any, **kwargs: Any) -> R:
        """Call the function with arguments as they travel: what is JSON is made to fit its annotations before.

        Raises:
            InvalidTasklet: naming each argument that does not fit.
        """
        args, kwargs = fitted(self.name, self.function, args, kwargs)
        return self.function(*args, **kwargs)

    def s(self, *args: Any, **kwargs: Any) -> Any:
        """Return a Celery signature; if an argument is missing, what came before will be the first one.

        Arguments may be references such as `"{{ result.peak }}"` where a job runs it.

        Raises:
            TypeError: when the function does not take these arguments, or one of them is no JSON.
        """
        self._signature.bind_partial(*args, **kwargs)
        return self._celery_signature(args, kwargs, immutable=False)

    def si(self, *args: Any, **kwargs: Any) -> Any:
        """Return a Celery signature that takes nothing from what came before.

        Raises:
            TypeError: when the function cannot be called with these arguments, or one of them is no JSON.
        """
        self._signature.bind(*args, **kwargs)
        return self._celery_signature(args, kwargs, immutable=True)

    @property
    def celery_name(self) -> str:
        """The name of its Celery task."""
        return CELERY_PREFIX + self.name

    def __repr__(self) -> str:
        return f"<tasklet {self.name}{self._signature}>"

    def __reduce__(self) -> str:
        return self.function.__qualname__  # like a function: by its name

    def _celery_signature(self, args: tuple[Any, ...], kwargs: dict[str, Any], *, immutable: bool) -> Any:
        from celery import Signature  # whoever only calls the function does not need Celery

        args, kwargs = for_json(self.name, args, kwargs)
        return Signature(self.celery_name, args=args, kwargs=kwargs, immutable=immutable)


@overload
def tasklet(function: Callable[P, R], /) -> Tasklet[P, R]: ...


@overload
def tasklet(
    *, name: str = "", time_limit: timedelta | float | str | None = None
) -> Callable[[Callable[P, R]], Tasklet[P, R]]: ...


def tasklet(
    function: Callable[..., Any] | None = None, /, *, name: str = "", time_limit: timedelta | float | str | None = None
) -> Any:
    """Make a tasklet of a function: `@tasklet`, or `@tasklet(name="peaks", time_limit="30s")`.

    Raises:
        TypeError: when it is no plain function, or its name or time limit is none.
    """
    if function is None:
        return functools.partial(Tasklet, name=name, time_limit=time_limit)
    return Tasklet(function, name, time_limit)


def _check(function: Callable[..., Any], name: str) -> None:
    if (
        not inspect.isfunction(function)
        or inspect.iscoroutinefunction(function)
        or inspect.isasyncgenfunction(function)
    ):
        raise TypeError(f"{name}: a tasklet is a plain function, defined with `def`")
    if not re.fullmatch(NAME_PATTERN, name):
        raise TypeError(f"{name!r} cannot be a tasklet's name: take letters, digits, `_`, `.` and `-`, a letter first")


def _time_limit(name: str, limit: timedelta | float | str | None) -> timedelta | None:
    if limit is None:
        return None
    try:
        seconds = _DURATION.validate_python(limit)
    except ValidationError as error:
        raise TypeError(f"{name}: {limit!r} is no time limit; give seconds, or `30s`, `5m`") from error
    if seconds <= timedelta(0):
        raise TypeError(f"{name}: a time limit is longer than nothing, not {limit!r}")
    return seconds
