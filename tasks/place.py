"""Where a first-party task is found by another process: `module:qualified.name`."""

import importlib

from .first_party import Task
from .function_task import FunctionTask

__all__ = ["place_of", "task_at"]


def place_of(task: type[Task]) -> str:
    """Return the place that a task class names as its own."""
    return f"{task.__module__}:{task.__qualname__}"


def task_at(place: str) -> type[Task]:
    """Return the task at a place.

    Raises:
        ImportError: when the module cannot be imported.
        AttributeError: when nothing is there.
        TypeError: when it is something else.
    """
    module, _, name = place.partition(":")
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    cls = found.task if isinstance(found, FunctionTask) else found
    if not (isinstance(cls, type) and issubclass(cls, Task)):
        raise TypeError(f"{place} is no first-party task")
    return cls
