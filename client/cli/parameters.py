"""`-p key=value` on the command line."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from ...config.errors import InvalidParameters
from ...tasks import TaskDescription

__all__ = ["parameter_option", "task_from_words"]

parameter_option: Callable[[Any], Any] = click.option(
    "-p",
    "--parameter",
    "words",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter of the task; again for each item of a list.",
)


def task_from_words(task: type[TaskDescription], words: Sequence[str]) -> TaskDescription:
    """Build a task from `key=value` words; a list takes each value given under its key. Text stays text: `0012` is `0012`.

    Raises:
        InvalidParameters: naming each word or field that does not fit.
    """
    lists = {field.parameter for field in task.task_fields() if field.is_list}
    values: dict[str, Any] = {}
    problems: list[str] = []
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            problems.append(f"{word!r} is not KEY=VALUE")
        elif key in lists:
            values.setdefault(key, []).append(value)
        elif key in values:
            problems.append(f"{key} is given twice and is no list")
        else:
            values[key] = value
    if problems:
        raise InvalidParameters(task.name, problems)
    return task.from_parameters(values)
