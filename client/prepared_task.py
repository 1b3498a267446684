"""From what `submit` is given to a task that can be sent."""

import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from pydantic_core import PydanticSerializationError

from ..config.errors import InvalidParameters, SubmittedAtImport
from ..tasks import Catalogue, FunctionTask, JobDescription, TaskDescription, module_being_loaded

__all__ = ["prepared_task"]


def prepared_task(task: Any, parameters: dict[str, Any], catalogue: Callable[[], Catalogue]) -> TaskDescription:
    """Return the task with its inputs named from the root, so that a worker elsewhere finds them.

    Args:
        task: a task, the name of one, or the job of a file.
        parameters: those of a task given by name, or in place of the file's.
        catalogue: loads the tasks that have names, which takes a while and a task itself does not need.

    Raises:
        UnknownTask, InvalidParameters, InvalidFile: when there is no such task, or it does not take such parameters.
        SubmittedAtImport: when a module of tasks is being imported.
        TypeError: when it is no task at all.
    """
    if (module := module_being_loaded()) is not None:
        raise SubmittedAtImport(module)
    described = _described(task, parameters, catalogue)
    if not isinstance(described, TaskDescription):
        raise TypeError(f"submit takes a task, or the name of one, not {_instead(task)}")
    if not described.is_complete():
        raise TypeError(f"{type(described).__name__} says not what to run: a Task has run(), a program an executable")
    prepared = described.with_absolute_inputs(Path.cwd())
    try:
        json.loads(prepared.model_dump_json())
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        raise InvalidParameters(prepared.name, [f"they cannot be sent as JSON: {error}"]) from error
    return prepared


def _described(task: Any, parameters: dict[str, Any], catalogue: Callable[[], Catalogue]) -> Any:
    if isinstance(task, str):
        return catalogue()[task].from_parameters(parameters)
    if isinstance(task, JobDescription):
        return task.task_from(catalogue(), parameters)
    if parameters:
        raise TypeError(f"parameters go into the task: {type(task).__name__}({', '.join(parameters)}=...)")
    return task


def _instead(given: object) -> str:
    match given:
        case FunctionTask():
            return f"the function itself: give {given.task.__name__}.s(...)"
        case Coroutine():
            given.close()
            return "a coroutine: give the coroutine function itself, or functools.partial of it and its arguments"
        case type():
            return f"the class itself: give {given.__name__}(...)"
        case _:
            return repr(given)
