"""Carry out jobs."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .celery_app import app, celery_name
    from .clean_up import CleanUp
    from .executor import Executor
    from .hosts import Home, LocalHost, LoopHost, ProcessHost, ThreadHost, Work
    from .launch import Launch, plan_launch
    from .masking import MASK
    from .plain_call import PlainCall
    from .program_version import version_answer
    from .rehearsal import rehearse
    from .site import Site
    from .verdict import Released

__all__ = [
    "MASK",
    "CleanUp",
    "Executor",
    "Home",
    "Launch",
    "LocalHost",
    "LoopHost",
    "PlainCall",
    "ProcessHost",
    "Released",
    "Site",
    "ThreadHost",
    "Work",
    "app",
    "celery_name",
    "plan_launch",
    "rehearse",
    "version_answer",
]

_MODULES = {
    "MASK": "masking",
    "CleanUp": "clean_up",
    "Executor": "executor",
    "Home": "hosts",
    "Launch": "launch",
    "LocalHost": "hosts",
    "LoopHost": "hosts",
    "PlainCall": "plain_call",
    "ProcessHost": "hosts",
    "Released": "verdict",
    "Site": "site",
    "ThreadHost": "hosts",
    "Work": "hosts",
    "app": "celery_app",
    "celery_name": "celery_app",
    "plan_launch": "launch",
    "rehearse": "rehearsal",
    "version_answer": "program_version",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for: the processes of first-party tasks and of tasklets need little of it, and never Celery."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)
