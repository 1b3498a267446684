"""What references in the arguments of a job's tasklets may name."""

import difflib
from collections.abc import Collection, Iterator

from ..config import references_in, steps_of
from .call import TaskletCall

__all__ = ["JOB_FACTS", "ROOTS", "Scope"]

#: The names that references in a job's tasklets begin with; nobody else gives these names to anything.
ROOTS = ("job", "outputs", "parameters", "previous", "result")
#: What `job` has.
JOB_FACTS = ("attempt", "directory", "error", "exit_code", "id", "reason", "state", "task")
#: The roots that only the program brings.
_OF_THE_PROGRAM = ("outputs", "result")


class Scope:
    """What is known where a tasklet stands."""

    def __init__(self, *, after: bool, first: bool, parameters: Collection[str] | None = None) -> None:
        """Tell where it stands.

        Args:
            after: whether that is after the program.
            first: whether no tasklet comes before it there.
            parameters: the names of the task's; `None`: nobody knows them here.
        """
        self._after = after
        #: Whether something comes before it: another tasklet, or the job's result.
        self.has_previous = after or not first
        self._known: dict[object, Collection[str]] = {"job": JOB_FACTS}
        if parameters is not None:
            self._known["parameters"] = parameters

    def problems(self, call: TaskletCall) -> list[str]:
        """Return what is wrong with the references in a call, as far as that can be told before the job runs."""
        places: dict[str, object] = {**{f"argument {n}": value for n, value in enumerate(call.args, 1)}, **call.kwargs}
        unfit = ["queue: no reference can stand here"] if "{{" in (call.queue or "") else []
        return unfit + [
            f"{place}: {reference}: {words}"
            for place, value in places.items()
            for reference in references_in(value)
            for words in self._mistakes(reference)
        ]

    def _mistakes(self, reference: str) -> Iterator[str]:
        if not reference.endswith("}}"):
            yield r"there is no }} to it; write \{{ for the characters themselves"
            return
        try:
            root, *steps = steps_of(reference)
        except LookupError as error:
            yield str(error.args[0])
            return
        if root not in ROOTS:
            yield f"there is no {root!r}{_hint(str(root), ROOTS)}"
        elif root in _OF_THE_PROGRAM and not self._after:
            yield f"before the program there is no {root!r}"
        elif root == "previous" and not self.has_previous:
            yield "before the first tasklet there is nothing"
        elif steps and root in self._known and steps[0] not in self._known[root]:
            yield f"there is no {steps[0]!r}{_hint(str(steps[0]), self._known[root])}"


def _hint(name: str, known: Collection[str]) -> str:
    if close := difflib.get_close_matches(name, known, n=3):
        return f"; did you mean {' or '.join(map(repr, close))}?"
    return f"; there are {', '.join(known)}" if known else ""
