"""Whether a job's tasklets exist, and can be called as the job asks; known before anything is recorded. Pure."""

from collections.abc import Collection, Iterable

from ..config.errors import InvalidTasklet
from .arguments import bound, literal_problems
from .call import TaskletCall
from .decorator import Tasklet
from .filling import takes_previous
from .registry import Tasklets
from .scope import Scope

__all__ = ["check_call", "check_calls"]


def check_calls(
    calls: Iterable[TaskletCall], tasklets: Tasklets, *, after: bool, parameters: Collection[str] | None = None
) -> None:
    """Make sure that a job's tasklets exist and that their arguments fit, as far as no reference hides them.

    Args:
        calls: in their order.
        tasklets: those that are known.
        after: whether they come after the program, so that the first one gets its result.
        parameters: the names of the task's; `None`: nobody knows them here.

    Raises:
        UnknownTasklet: with the names that come close.
        InvalidTasklet: naming each argument or reference that does not fit.
    """
    for number, call in enumerate(calls):
        check_call(call, tasklets, Scope(after=after, first=number == 0, parameters=parameters))


def check_call(call: TaskletCall, tasklets: Tasklets | None, scope: Scope) -> None:
    """Make sure of one call likewise. Without `tasklets` only its references are looked at."""
    tasklet = None if tasklets is None else tasklets[call.tasklet]
    if problems := scope.problems(call):
        raise InvalidTasklet(call.tasklet, problems)
    if tasklet is not None:
        _check_arguments(call, tasklet, has_previous=scope.has_previous)


def _check_arguments(call: TaskletCall, tasklet: Tasklet[..., object], *, has_previous: bool) -> None:
    unknown = int(has_previous and takes_previous(call, tasklet))
    args: tuple[object, ...] = (*[None] * unknown, *call.args)
    bound(call.tasklet, tasklet.function, args, call.kwargs)
    if problems := literal_problems(tasklet.function, args, call.kwargs, unknown=unknown):
        raise InvalidTasklet(call.tasklet, problems)
