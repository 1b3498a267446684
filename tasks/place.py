"""Where another process finds the class of a task: `module:qualified.name`, or `/a/script.py:qualified.name`."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from .being_loaded import loading
from .description import TaskDescription
from .first_party import Task
from .function_task import FunctionTask

__all__ = ["class_at", "is_found_at_its_place", "place_of", "task_at"]

#: What a script is called where it is read for its tasks, so that it does nothing of what it does under `__main__`.
_SCRIPT = "__outrider_main__"


def place_of(task: type[TaskDescription]) -> str:
    """Return the place that a task class names as its own."""
    module = task.__module__
    if module in ("__main__", _SCRIPT) and (file := getattr(sys.modules[module], "__file__", None)):
        module = str(Path(file).absolute())
    return f"{module}:{task.__qualname__}"


def is_found_at_its_place(task: type[TaskDescription]) -> bool:
    """Return whether another process would find the class: not if it was typed in, say, or defined in a function."""
    module = sys.modules.get(task.__module__)
    where_it_was_typed = task.__module__ == "__main__" and not hasattr(module, "__file__")
    return not where_it_was_typed and _named(module, task.__qualname__) is task


def class_at(place: str) -> type[TaskDescription]:
    """Return the class of a task at a place.

    Raises:
        ImportError: when the module cannot be imported.
        AttributeError: when nothing is there.
        TypeError: when it is something else.
    """
    source, _, name = place.rpartition(":")
    cls = _named(_script(source) if source.startswith("/") else importlib.import_module(source), name)
    if cls is None:
        raise AttributeError(f"there is nothing at {place}")
    if not (isinstance(cls, type) and issubclass(cls, TaskDescription)):
        raise TypeError(f"{place} is no task")
    return cls


def task_at(place: str) -> type[Task]:
    """Return the first-party task at a place. Raises as `class_at` does."""
    cls = class_at(place)
    if not issubclass(cls, Task):
        raise TypeError(f"{place} is no first-party task")
    return cls


def _named(module: Any, name: str) -> Any:
    found = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found.task if isinstance(found, FunctionTask) else found


def _script(path: str) -> ModuleType:
    if _SCRIPT not in sys.modules:
        spec = importlib.util.spec_from_file_location(_SCRIPT, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} is no Python script")
        module = sys.modules[_SCRIPT] = importlib.util.module_from_spec(spec)
        try:
            with loading(path):
                spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[_SCRIPT]  # half of it is not to be found
            raise
    return sys.modules[_SCRIPT]
