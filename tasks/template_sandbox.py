"""Where templates are rendered: in a sandbox, with bounds on what parameters can make them do.

A template is its author's, and trusted like the class that names it; parameters are a stranger's. Whatever they are,
nothing but text comes out, and it comes in time.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from functools import wraps
from pathlib import PurePath
from typing import Any

from jinja2 import Environment, StrictUndefined, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from .template_json import to_json

__all__ = ["BUDGET", "Budget", "Sandbox", "with_bounds"]

#: Characters of a rendered file, or of all values in it.
_LARGEST_TEXT = 16 * 2**20
#: Rounds of all loops of one rendering.
_MOST_ROUNDS = 200_000
#: The largest width, indentation or count that a filter or method takes.
_WIDEST = 100_000
#: Bits of a power.
_MOST_BITS = 2**16
#: What a rendering's bounds are called in its context.
BUDGET = "outrider_budget"

_WIDE_FILTERS = ("batch", "center", "indent", "round", "slice", "tojson")
_WIDE_METHODS = frozenset({"center", "expandtabs", "ljust", "rjust", "zfill"})
#: A width that comes from the arguments, or is very large: in `str.format` and in `%`.
_WIDE_FORMAT = re.compile(r":[^{}]*(?:\{|\d{6,})")
_WIDE_PERCENT = re.compile(r"%(?:\([^)]*\))?[-+ #0]*(?:\*|\d{6,}|\d*\.(?:\*|\d{6,}))")


class Budget:
    """What one rendering may still do."""

    def __init__(self) -> None:
        """Start with all of it."""
        self._rounds = _MOST_ROUNDS
        self._characters = _LARGEST_TEXT

    def step(self) -> None:
        """Take note of a round of a loop, or the call of a macro.

        Raises:
            SecurityError: when it is one too many.
        """
        self._rounds -= 1
        if self._rounds < 0:
            raise SecurityError(f"its loops take more than {_MOST_ROUNDS} rounds")

    def counted(self, items: Iterable[Any]) -> Iterator[Any]:
        """Yield what a loop goes through."""
        for item in items:
            self.step()
            yield item

    def spend(self, characters: int) -> None:
        """Take note of text.

        Raises:
            SecurityError: when it is too long.
        """
        self._characters -= characters
        if self._characters < 0:
            raise SecurityError(f"its text has more than {_LARGEST_TEXT} characters")


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja without files, without chance, and with an error for what is not defined."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self) -> None:
        """Make the rules that hold for all templates."""
        super().__init__(
            undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True, finalize=_shown
        )
        self.filters["tojson"] = to_json
        self.filters.update({name: _bounded(self.filters[name]) for name in _WIDE_FILTERS})
        del self.filters["random"], self.globals["lipsum"]  # the same parameters give the same text
        self.filters["format"] = lambda text, *values, **named: _percent(str(text), named or values)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Say whether a template may have an attribute: of a path those that look at no file."""
        pure = not isinstance(obj, PurePath) or hasattr(PurePath, attr)
        return pure and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate, unless the result would be huge."""
        if operator == "%" and isinstance(left, str):
            return _percent(left, right)
        if operator == "**" and isinstance(left, int) and isinstance(right, int):
            _check(left.bit_length() * right <= _MOST_BITS, f"{left}**{right} is too large")
        if operator == "*":
            for text, times in ((left, right), (right, left)):
                if isinstance(text, str | list | tuple) and isinstance(times, int):
                    _check(len(text) * times <= _LARGEST_TEXT, f"so long a value cannot be taken {times} times")
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Return a safe `str.format`."""
        wrapped = super().wrap_str_format(value)
        if wrapped is not None:
            _check(not _WIDE_FORMAT.search(value.__self__), "a width in a format is a small number; else use ljust")
        return wrapped

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call what a template calls."""
        if isinstance(getattr(obj, "__self__", None), str) and obj.__name__ in _WIDE_METHODS:
            obj = _bounded(obj, first=0)
        return super().call(context, obj, *args, **kwargs)


def with_bounds(template: nodes.Template, environment: Environment) -> nodes.Template:
    """Return a parsed template whose loops and macros keep to the budget in their context."""
    for loop in template.find_all(nodes.For):
        loop.iter = _budgets("counted", loop.iter)
    for statement in list(template.find_all(nodes.Stmt)):
        if isinstance(statement, nodes.Macro | nodes.CallBlock):
            statement.body.insert(0, nodes.ExprStmt(_budgets("step"), lineno=statement.lineno))
    template.set_environment(environment)
    return template


def _budgets(method: str, *arguments: nodes.Node) -> nodes.Call:
    return nodes.Call(nodes.Getattr(nodes.Name(BUDGET, "load"), method, "load"), list(arguments), [], None, None)


@pass_context
def _shown(context: Context, value: Any) -> str:
    """Return what `{{ … }}` of a value is: an enum's value, as on a command line."""
    text = str(value.value if isinstance(value, Enum) else value)
    context[BUDGET].spend(len(text))
    return text


def _percent(text: str, values: Any) -> str:
    _check(not _WIDE_PERCENT.search(text), "a width in a format is a small number; else use ljust")
    return str(text % values)


def _bounded(function: Callable[..., Any], first: int = 1) -> Callable[..., Any]:
    """Return a function that takes no large number, from its argument `first` on."""

    @wraps(function)
    def bounded(*args: Any, **kwargs: Any) -> Any:
        for value in (*args[first:], *kwargs.values()):
            _check(not isinstance(value, int) or abs(value) <= _WIDEST, f"{value} is more than {_WIDEST}")
        return function(*args, **kwargs)

    return bounded


def _check(fine: bool, otherwise: str) -> None:  # noqa: FBT001 - a condition
    if not fine:
        raise SecurityError(otherwise)
