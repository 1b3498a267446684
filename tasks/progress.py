"""How to tell how far a program is, as a task describes it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import ByteSize, Field, TypeAdapter, ValidationError

from .fields import TaskField
from .tally import Tally, tally_problem

__all__ = ["FileGrowth", "JsonProgress", "ProgressDescription", "check_progress"]

_GROUPS = frozenset({"percent", "done", "total", "unit"})
_SIZE: TypeAdapter[ByteSize] = TypeAdapter(Annotated[ByteSize, Field(ge=0)])


@dataclass(frozen=True)
class JsonProgress:
    """The program prints JSON objects, one per line, on either stream; fields of them say how far it is.

    `JsonProgress(done="frame", total="frames")` understands `{"frame": 3, "frames": 12}`. A dot leads into an inner object.
    All other lines are log text.
    """

    #: The field that says what is done.
    done: str
    #: The field that says what there is to do, or a number; 0 when nobody knows.
    total: str | float = 0
    #: What is counted, for people.
    unit: str = ""


@dataclass(frozen=True)
class FileGrowth:
    """One of the program's output files grows as it works: its size, in MiB, is the progress."""

    #: The field of the output.
    field: str
    #: The size in the end: bytes, `20 MiB`, or a function of the task that returns bytes or `None`; 0 when nobody knows.
    #: The function runs once, in the worker, beside the program.
    expected: int | str | Callable[[Any], int | None] = 0
    #: How often the file is looked at.
    interval: timedelta = timedelta(seconds=0.5)

    def expected_bytes(self, task: Any) -> int:
        """Return the size in the end, 0 when nobody knows.

        Raises:
            ValueError: when what was given is no size.
        """
        expected = self.expected(task) if callable(self.expected) else self.expected
        return _SIZE.validate_python(expected or 0)


#: The ways to tell how far a program is; a text is a regular expression.
ProgressDescription = str | JsonProgress | FileGrowth | Tally | None


def check_progress(where: str, progress: ProgressDescription, fields: tuple[TaskField, ...]) -> None:
    """Make sure that a class's description of progress can find any.

    Raises:
        TypeError: naming the class and what is wrong.
    """
    match progress:
        case None:
            problem = None
        case str():
            problem = _pattern_problem(progress)
        case JsonProgress():
            problem = _json_problem(progress)
        case FileGrowth():
            problem = _growth_problem(progress, fields)
        case Tally():
            problem = tally_problem(progress, fields)
        case _:
            problem = "is neither a regular expression nor JsonProgress, FileGrowth or Tally"
    if problem:
        raise TypeError(f"{where}: progress {progress!r} {problem}")


def _pattern_problem(pattern: str) -> str | None:
    try:
        names = set(re.compile(pattern).groupindex)
    except re.error as error:
        return f"is no regular expression: {error}"
    good = names & {"percent", "done"} and names <= _GROUPS
    return None if good else "needs a group named percent or done; it may have total and unit"


def _json_problem(progress: JsonProgress) -> str | None:
    if not _is_field_name(progress.done):
        return "needs the name of a field as done"
    known = isinstance(progress.total, int | float) or _is_field_name(progress.total)
    return None if known else "needs the name of a field or a number as total"


def _is_field_name(name: object) -> bool:
    return isinstance(name, str) and all(name.split("."))


def _growth_problem(progress: FileGrowth, fields: tuple[TaskField, ...]) -> str | None:
    if progress.field not in [field.name for field in fields if field.output]:
        return f"names no output: {progress.field!r}"
    if not isinstance(progress.interval, timedelta) or progress.interval <= timedelta(0):
        return "needs a positive timedelta as interval"
    try:
        known = callable(progress.expected) or progress.expected_bytes(None) >= 0
    except ValidationError:
        known = False
    return None if known else "needs a size as expected, such as 20 MiB"
