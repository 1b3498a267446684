"""What we rely on in Celery beyond its documented interface, in one place and checked when a worker starts.

A Celery that changed one of these must be a clear error, not a job that silently runs twice.
"""

import inspect

import celery
from celery.worker.request import Request, create_request_cls
from celery.worker.state import task_accepted
from celery.worker.strategy import default as default_strategy

from ..config.errors import SettingsError

__all__ = ["Request", "check_celery", "default_strategy", "task_accepted"]

#: Methods that we override, with the parameters that Celery calls them with.
_OVERRIDDEN = {
    "on_accepted": ("self", "pid", "time_accepted"),
    "revoked": ("self",),
    "send_event": ("self", "type", "fields"),
    "terminate": ("self", "pool", "signal"),
}
#: What we use of a request as it is.
_USED = ("acknowledge", "argsrepr", "kwargsrepr", "message", "request_dict", "root_id")
#: How Celery must go on: the pool calls `on_accepted` before the task, with the dictionary that the task will see, and the
#: class of a task's requests is the one that the task names.
_FLOW = {
    create_request_cls: ("accept_callback=self.on_accepted", "self.request_dict", "self.revoked()"),
    default_strategy: ("task.Request",),
}


def check_celery() -> None:
    """Make sure that this Celery is one that we know.

    Raises:
        SettingsError: naming what has changed.
    """
    changed = [
        f"Request.{name}{expected}"
        for name, expected in _OVERRIDDEN.items()
        if tuple(inspect.signature(getattr(Request, name, lambda: None)).parameters) != expected
    ]
    changed += [f"Request.{name}" for name in _USED if not hasattr(Request, name)]
    for function, phrases in _FLOW.items():
        source = inspect.getsource(function)
        changed += [f"{phrase!r} in {function.__name__}" for phrase in phrases if phrase not in source]
    if changed:
        raise SettingsError(
            f"Celery {celery.__version__} has changed {', '.join(changed)}; use one that pyproject.toml allows"
        )
