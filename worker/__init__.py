"""Carry out jobs."""

from typing import TYPE_CHECKING, Any

from .clean_up import CleanUp
from .executor import Executor
from .launch import Launch, plan_launch
from .masking import MASK
from .rehearsal import rehearse
from .site import Site
from .version_answer import version_answer

if TYPE_CHECKING:
    from .celery_app import app, celery_name

__all__ = [
    "MASK",
    "CleanUp",
    "Executor",
    "Launch",
    "Site",
    "app",
    "celery_name",
    "plan_launch",
    "rehearse",
    "version_answer",
]


def __getattr__(name: str) -> Any:
    """Load what needs Celery when it is asked for: a first-party task's process never does."""
    if name not in ("app", "celery_name"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import celery_app

    return getattr(celery_app, name)
