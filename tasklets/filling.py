"""From what a job asks for to what a tasklet is called with. Pure."""

import enum
import inspect
from typing import Any, Final

from .arguments import Arguments, bound
from .call import TaskletCall
from .decorator import Tasklet

__all__ = ["NOTHING", "Nothing", "filled", "takes_previous"]


class Nothing(enum.Enum):
    """The type of `NOTHING`."""

    NOTHING = "nothing"


#: In place of what came before, where nothing did: `None` is something that a tasklet may return.
NOTHING: Final = Nothing.NOTHING


def takes_previous(call: TaskletCall, tasklet: Tasklet[..., Any]) -> bool:
    """Say whether the tasklet gets what came before: the call allows it, and an argument is missing."""
    if not call.partial:
        return False
    try:
        inspect.signature(tasklet.function).bind(*call.args, **call.kwargs)
    except TypeError:
        return True
    return False


def filled(call: TaskletCall, tasklet: Tasklet[..., Any], previous: Any = NOTHING) -> Arguments:
    """Return what to call the tasklet with: the call's arguments, and as the first one what came before, if one is missing.

    That is what Celery does in a chain; other than there, a tasklet that lacks nothing gets nothing. `Tasklet.run` makes
    them fit the function's annotations.

    Args:
        call: its references replaced by their values.
        tasklet: what will be called.
        previous: what the tasklet before it returned; for the first one after the program, the job's result.

    Raises:
        InvalidTasklet: when an argument is missing, unknown or too many.
    """
    args: tuple[Any, ...] = call.args
    if previous is not NOTHING and takes_previous(call, tasklet):
        args = (previous, *args)
    return bound(call.tasklet, tasklet.function, args, call.kwargs)
