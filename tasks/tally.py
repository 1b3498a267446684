"""Progress by counting, as a task describes it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .fields import TaskField

__all__ = ["Tally", "tally_problem"]


@dataclass(frozen=True)
class Tally:
    r"""The program prints something for each thing that is done; what it has printed since its start is counted.

    `Tally(r"\*", total=51)` counts stars, with or without line ends between them. Where the pattern has a group `count`,
    the numbers in it are added up: `Tally(r"Processed (?P<count>\d+) reads")`. A match lies within one line; `^` and `$`
    are the line's begin and end.
    """

    #: A regular expression for what is counted.
    pattern: str
    #: How many there will be: a number, the name of a field that holds it, or a function of the task that returns it or
    #: `None`; 0 when nobody knows. The function runs once, in the worker, beside the program.
    total: float | str | Callable[[Any], float | None] = 0
    #: What is counted, for people.
    unit: str = ""

    def total_for(self, task: Any) -> float:
        """Return how many there will be, 0 when nobody knows.

        Raises:
            TypeError: when what was given is no number.
        """
        total = getattr(task, self.total) if isinstance(self.total, str) else self.total
        total = total(task) if callable(total) else total
        if total is None:
            return 0.0
        if isinstance(total, bool) or not isinstance(total, int | float):
            raise TypeError(f"the total of the progress is no number: {total!r}")
        return float(total)


def tally_problem(tally: Tally, fields: tuple[TaskField, ...]) -> str | None:
    """Return a phrase that says what is wrong with a description, `None` if nothing is."""
    try:
        pattern = re.compile(tally.pattern)
    except (re.error, TypeError) as error:
        return f"is no regular expression: {error}"
    if not set(pattern.groupindex) <= {"count"}:
        return "may have a group named count, and no other"
    if pattern.search(""):
        return "would count nothing at all: its pattern matches an empty text"
    named = isinstance(tally.total, str) and tally.total in [field.name for field in fields if field.is_number]
    known = named or isinstance(tally.total, int | float) or callable(tally.total)
    return None if known else "needs a number, the name of a field that holds one, or a function of the task as total"
