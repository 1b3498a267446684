"""A plain function as the work of a job."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from ..tasks import adapter_of

__all__ = ["PlainCall"]


@dataclass(frozen=True)
class PlainCall:
    """A function, or coroutine function, that is called without arguments: what `functools.partial` is for."""

    function: Callable[[], Any]

    @property
    def name(self) -> str:
        """The function's name, as the job's task."""
        inner = _unwrapped(self.function)
        return str(getattr(inner, "__qualname__", type(inner).__qualname__)).replace("<locals>.", "")

    @property
    def is_coroutine(self) -> bool:
        """Whether it is called on an event loop."""
        inner = _unwrapped(self.function)
        return inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(type(inner).__call__)

    def result_adapter(self) -> TypeAdapter[Any]:
        """Return what checks the result, as the function's annotation has it."""
        inner = _unwrapped(self.function)
        try:
            hints = get_type_hints(inner if inspect.isroutine(inner) else type(inner).__call__)
        except Exception:  # noqa: BLE001 - an annotation may be anything, and is no promise then
            hints = {}
        return adapter_of(hints.get("return", Any))


def _unwrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    while isinstance(function, functools.partial):
        function = function.func
    return function
