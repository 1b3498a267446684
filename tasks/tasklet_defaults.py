"""The tasklets that a task class brings along, in whatever way they are written."""

from typing import Any

from ..config.errors import InvalidTasklet
from ..tasklets import tasklet_calls

__all__ = ["check_tasklets"]


def check_tasklets(cls: type[Any]) -> None:
    """Make calls of what a class names as `before` and `after`.

    Raises:
        TypeError: naming the class and what does not fit.
    """
    for place in ("before", "after"):
        if place in cls.__dict__:
            try:
                setattr(cls, place, tasklet_calls(cls.__dict__[place]))
            except InvalidTasklet as error:
                raise TypeError(f"{cls.__name__}.{place}: {error}") from error
