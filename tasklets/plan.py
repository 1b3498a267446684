"""Which tasklets a job runs before and after its program, and who asked for each."""

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal, Self

from ..config.errors import InvalidTasklet
from .call import TaskletCall, tasklet_calls
from .checking import check_calls
from .registry import Tasklets

__all__ = ["PLACES", "Place", "PlannedTasklet", "TaskletPlan"]

Place = Literal["before", "after"]
PLACES: tuple[Place, ...] = ("before", "after")

#: In place of names that are left out: all of them.
_ALL = "all"


@dataclass(frozen=True)
class PlannedTasklet:
    """One of a job's tasklets."""

    call: TaskletCall
    #: On which side of the program.
    place: Place
    #: Who asked for it, for people: a class, a line of a file.
    origin: str


@dataclass(frozen=True)
class TaskletPlan:
    """A job's tasklets in their order."""

    tasklets: tuple[PlannedTasklet, ...] = ()

    @property
    def before(self) -> tuple[TaskletCall, ...]:
        """The calls before the program."""
        return tuple(one.call for one in self.tasklets if one.place == "before")

    @property
    def after(self) -> tuple[TaskletCall, ...]:
        """The calls after the program."""
        return tuple(one.call for one in self.tasklets if one.place == "after")

    def plus(self, before: Any, after: Any, origin: str) -> Self:
        """Return the plan with more tasklets behind those on their side; they may be anything that `tasklet_calls` takes.

        Raises:
            InvalidTasklet: naming what is none.
        """
        asked: dict[Place, Any] = {"before": before, "after": after}
        more = (PlannedTasklet(call, place, origin) for place in PLACES for call in tasklet_calls(asked[place]))
        return self.with_tasklets(more)

    def with_tasklets(self, more: Iterable[PlannedTasklet]) -> Self:
        """Return the plan with these behind those on their side."""
        return type(self)((*self.tasklets, *more))

    def without(self, names: str | Iterable[str]) -> Self:
        """Return the plan but for the named tasklets; `all` stands for every one.

        Raises:
            InvalidTasklet: when there is none of a name.
        """
        names = {names} if isinstance(names, str) else set(names)
        if _ALL in names:
            return type(self)()
        known = [one.call.tasklet for one in self.tasklets]
        for name in sorted(names.difference(known)):
            close = difflib.get_close_matches(name, known, n=3) or dict.fromkeys(known)
            hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise InvalidTasklet(name, [f"there is none of that name to leave out{hint}"])
        return type(self)(tuple(one for one in self.tasklets if one.call.tasklet not in names))

    def check(self, tasklets: Tasklets, parameters: Collection[str]) -> None:
        """Make sure that all of them can be called as they are asked for. Raises as `check_calls` does."""
        check_calls(self.before, tasklets, after=False, parameters=parameters)
        check_calls(self.after, tasklets, after=True, parameters=parameters)
