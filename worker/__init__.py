"""Carry out jobs."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .celery_app import app, celery_name
    from .executor import Executor
    from .host import ExecutorHost
    from .launch import Launch, plan_launch
    from .site import Site

__all__ = ["Executor", "ExecutorHost", "Launch", "Site", "app", "celery_name", "plan_launch"]

_MODULES = {
    "Executor": "executor",
    "ExecutorHost": "host",
    "Launch": "launch",
    "Site": "site",
    "app": "celery_app",
    "celery_name": "celery_app",
    "plan_launch": "launch",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for: the processes of first-party tasks and of tasklets need little of it, and never Celery."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)
