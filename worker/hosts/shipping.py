"""How work is brought to another process of ours: classes of tasks by their place, functions with all that they hold."""

import io
import pickle
from pathlib import Path
from typing import Any

import cloudpickle

from ...config.errors import CannotTravel
from ...tasks import (
    FunctionTask,
    TaskDescription,
    ThirdPartyTask,
    class_at,
    is_found_at_its_place,
    load_program,
    place_of,
)
from ..error_text import error_text
from ..plain_call import PlainCall
from .local_host import Work

__all__ = ["check_place", "shipped", "unshipped"]


def shipped(work: Work) -> bytes:
    """Return work as bytes, for `unshipped` in a process that was started with our folders of modules.

    Raises:
        CannotTravel: when it cannot be brought there.
    """
    if isinstance(work, PlainCall):
        return _packed(work.name, work.function)
    if issubclass(work, ThirdPartyTask) and work.described_in:
        return pickle.dumps(work.described_in)
    check_place(work)
    return pickle.dumps(place_of(work))


def check_place(task: type[TaskDescription]) -> None:
    """Make sure that a process of its own finds a task's class.

    Raises:
        CannotTravel: when it would not.
    """
    if not is_found_at_its_place(task):
        why = "its process would not find the class: define it at the top of a module or script, not by hand"
        raise CannotTravel(task.__qualname__, why)


def unshipped(packed: bytes) -> Work:
    """Return the work; raises whatever importing or unpickling raises."""
    match pickle.loads(packed):  # noqa: S301 - from the process that started this one, on a socket that nobody else has
        case Path() as description:
            return load_program(description)
        case str(place):
            return class_at(place)
        case function:
            return PlainCall(function)


def _packed(name: str, function: Any) -> bytes:
    packed = io.BytesIO()
    try:
        _Pickler(packed).dump(function)
    except Exception as error:  # pickling runs the code of whatever the function holds
        raise CannotTravel(name, f"what it holds cannot be pickled: {error_text(error)}") from error
    return packed.getvalue()


class _Pickler(cloudpickle.Pickler):
    """Takes along functions that were made tasks where other processes cannot see them, as it does other functions."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, FunctionTask) and obj.__module__ == "__main__":
            return FunctionTask, (obj.function,)
        return super().reducer_override(obj)
