"""Tasklets as an app of Celery knows them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic_core import to_jsonable_python

from .decorator import Tasklet

__all__ = ["CarryOut", "celery_task_of"]

#: Runs a tasklet with its arguments and returns what it returns; the last argument is the Celery task.
CarryOut = Callable[[Tasklet[..., Any], Sequence[Any], Mapping[str, Any], Any], Any]


def celery_task_of(tasklet: Tasklet[..., Any], carry_out: CarryOut | None = None, **attributes: Any) -> Any:
    """Return the Celery task of a tasklet, for an app to register. Its result is what the tasklet returns, as JSON.

    Args:
        tasklet: what to run.
        carry_out: how; default: in this thread, by `Tasklet.run`.
        attributes: what else the task's class has, such as `Request`.
    """
    from celery import Task

    def run(task: Any, *args: Any, **kwargs: Any) -> Any:
        value = carry_out(tasklet, args, kwargs, task) if carry_out else tasklet.run(*args, **kwargs)
        return to_jsonable_python(value, fallback=_plain, inf_nan_mode="constants")

    members = {
        "name": tasklet.celery_name,
        "run": run,
        "typing": False,  # checked by `fitted`, with better words
        "__doc__": tasklet.__doc__,
        "__module__": tasklet.__module__,
        **attributes,
    }
    return type(tasklet.name, (Task,), members)()


def _plain(value: Any) -> Any:
    """Return what JSON can hold in place of a value that it cannot: an array's numbers, else its description."""
    return value.tolist() if hasattr(value, "tolist") else repr(value)
