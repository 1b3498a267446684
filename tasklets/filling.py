"""From what a job asks for to what a tasklet is called with. Pure."""

import difflib
import enum
import inspect
from collections.abc import Collection, Iterable
from typing import Any, Final

from ..config.errors import InvalidTasklet, UnknownTasklet
from .arguments import Arguments, bound, literal_problems
from .call import TaskletCall
from .decorator import Tasklet
from .registry import Tasklets

__all__ = ["NOTHING", "Nothing", "check_calls", "filled", "takes_previous", "without"]


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


def check_calls(calls: Iterable[TaskletCall], tasklets: Tasklets, *, after: bool) -> None:
    """Make sure that a job's tasklets exist and that their arguments fit, as far as no reference hides them.

    Args:
        calls: in their order.
        tasklets: those that are known.
        after: whether they come after the program, so that the first one gets its result.

    Raises:
        UnknownTasklet: with the names that come close.
        InvalidTasklet: naming each argument that does not fit.
    """
    has_previous = after
    for call in calls:
        _check(call, tasklets[call.tasklet], has_previous=has_previous)
        has_previous = True


def without(calls: Iterable[TaskletCall], names: Collection[str]) -> tuple[TaskletCall, ...]:
    """Return the calls but those of the named tasklets.

    Raises:
        UnknownTasklet: when a name is not among them.
    """
    calls = tuple(calls)
    known = {call.tasklet for call in calls}
    for name in names:
        if name not in known:
            raise UnknownTasklet(name, difflib.get_close_matches(name, known, n=3))
    return tuple(call for call in calls if call.tasklet not in names)


def _check(call: TaskletCall, tasklet: Tasklet[..., Any], *, has_previous: bool) -> None:
    unknown = int(has_previous and takes_previous(call, tasklet))
    args: tuple[Any, ...] = (*[None] * unknown, *call.args)
    bound(call.tasklet, tasklet.function, args, call.kwargs)
    if problems := literal_problems(tasklet.function, args, call.kwargs, unknown=unknown):
        raise InvalidTasklet(call.tasklet, problems)
