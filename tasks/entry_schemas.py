"""JSON Schemas of the tasklets that a YAML file asks for."""

import inspect
from typing import Any

from ..tasklets import NAME_PATTERN, Tasklet, Tasklets

__all__ = ["entries_schema"]

_Schema = dict[str, Any]

_NAME = {"type": "string", "pattern": f"^{NAME_PATTERN}$"}
_WORDS = {"type": "string", "minLength": 1, "description": "As on the command line: `plot title=LaB6`."}
_ONE = {"type": "object", "minProperties": 1, "maxProperties": 1}
_OPTIONS = {
    "arguments": {"description": "A mapping by name, a list, or one value."},
    "args": {"type": "array"},
    "kwargs": {"type": "object"},
    "partial": {"type": "boolean", "description": "Whether it takes what came before, if an argument is missing."},
    "when": {"enum": ["success", "failure", "always"], "description": "After which ends of the program."},
    "required": {"type": "boolean", "description": "Whether the job fails with it."},
    "time_limit": {"type": ["string", "number"], "description": "How long it may take: `30s`, `5m`, or seconds."},
    "queue": {"type": "string", "minLength": 1, "description": "Whose worker runs it; default: the job's own."},
}


def entries_schema(tasklets: Tasklets | None = None) -> _Schema:
    """Return the schema of a list of tasklets: each is words, `plot: {title: LaB6}`, or `tasklet: plot` with its options.

    Args:
        tasklets: those there are; `None`: any name will do.
    """
    name: _Schema = _NAME if tasklets is None else {"enum": list(tasklets)}
    with_options = {
        "type": "object",
        "required": ["tasklet"],
        "additionalProperties": False,
        "properties": {"tasklet": name, **_OPTIONS},
    }
    return {"type": "array", "items": {"anyOf": [_WORDS, with_options, _by_name(tasklets)]}}


def _by_name(tasklets: Tasklets | None) -> _Schema:
    if tasklets is None:
        return {**_ONE, "propertyNames": _NAME, "not": {"required": ["tasklet"]}}
    known = {name: _arguments(tasklet) for name, tasklet in tasklets.items()}
    return {**_ONE, "properties": known, "additionalProperties": False}


def _arguments(tasklet: Tasklet[..., Any]) -> _Schema:
    """Return the schema of a tasklet's arguments: their names, or anything in a list."""
    parameters = inspect.signature(tasklet.function).parameters.values()
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    by_name: _Schema = {
        "type": "object",
        "properties": {one.name: {} for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)},
        "additionalProperties": takes_any,
    }
    said = (tasklet.__doc__ or "").strip().partition("\n")[0]
    return {"description": said, "anyOf": [by_name, {"not": {"type": "object"}}]}
