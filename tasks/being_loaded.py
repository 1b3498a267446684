"""Which module of tasks is being imported now: nothing may be submitted meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["loading", "module_being_loaded"]

_being_loaded: ContextVar[str | None] = ContextVar("outrider_module_being_loaded", default=None)


def module_being_loaded() -> str | None:
    """Return the name of the task module that is being imported now."""
    return _being_loaded.get()


@contextmanager
def loading(module: str) -> Iterator[None]:
    """Say that a module is being imported for its tasks."""
    token = _being_loaded.set(module)
    try:
        yield
    finally:
        _being_loaded.reset(token)
