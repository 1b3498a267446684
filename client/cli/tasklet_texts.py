"""Calls and parameters of tasklets, as people read them."""

import inspect
from typing import Any

from ...tasklets import Tasklet, TaskletCall

__all__ = ["call_text", "parameters_text", "summary_text"]

_LONGEST_VALUE = 80
_STARS: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def call_text(call: TaskletCall) -> str:
    """Return a call as one would write it in Python, references bare, with its options behind.

    >>> call_text(TaskletCall.of("plot {{ result.x }} title=LaB6 --when=always --optional"))
    "plot({{ result.x }}, title='LaB6') when=always, optional"
    """
    words = [_value(value) for value in call.args]
    words += [f"{name}={_value(value)}" for name, value in call.kwargs.items()]
    limit = call.time_limit.total_seconds() if call.time_limit else 0
    options = {
        f"when={call.when}": call.when != "success",
        "optional": not call.required,
        f"time_limit={limit:g}s": limit,
        f"queue={call.queue}": call.queue,
    }
    said = ", ".join(option for option, is_set in options.items() if is_set)
    return f"{call.tasklet}({', '.join(words)}) {said}".rstrip()


def parameters_text(tasklet: Tasklet[..., Any]) -> str:
    """Return the names of a tasklet's parameters, with their defaults."""
    parameters = inspect.signature(tasklet.function).parameters.values()
    return ", ".join(_parameter(parameter) for parameter in parameters)


def summary_text(tasklet: Tasklet[..., Any]) -> str:
    """Return the first line of what a tasklet says about itself."""
    return (tasklet.__doc__ or "").strip().partition("\n")[0]


def _parameter(parameter: inspect.Parameter) -> str:
    stars = _STARS.get(parameter.kind, "")
    default = "" if parameter.default is parameter.empty else f"={_default(parameter.default)}"
    return f"{stars}{parameter.name}{default}"


def _default(value: Any) -> str:
    return repr(value) if isinstance(value, str | None) else str(value)


def _value(value: Any) -> str:
    is_reference = isinstance(value, str) and value.startswith("{{") and value.find("}}") == len(value) - 2
    text = value if is_reference else repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
