"""From a task to the words of its command line. Pure: the same task gives the same words, and no shell sees them."""

import os
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import Flag, PassThrough, Positional

if TYPE_CHECKING:
    from .third_party import ThirdPartyTask

__all__ = ["build_argv"]


def build_argv(task: "ThirdPartyTask") -> tuple[str, ...]:
    """Return the executable and its arguments.

    The order: executable, sub-command, options in the order of their fields, positionals in the order of theirs, and
    after `--` what is passed through.
    """
    options: list[str] = []
    positionals: list[str] = []
    passed: list[str] = []
    for field in task.task_fields():
        value = getattr(task, field.name)
        match field.place:
            case Flag() as flag:
                options += _option(flag, flag.name or f"--{field.name.replace('_', '-')}", value)
            case Positional():
                positionals += _texts(value)
            case PassThrough():
                passed += _texts(value)
            case _:  # stdin, stdout and the rest are no words
                pass
    return (task.executable, *task.subcommand, *options, *positionals, *(["--", *passed] if passed else []))


def _option(flag: Flag, name: str, value: Any) -> Iterator[str]:
    if value is None or (isinstance(value, list | tuple) and not value):
        return
    if isinstance(value, bool):
        if word := name if value else flag.negative:
            yield word
    elif flag.repeat:
        for text in _texts(value):
            yield from _named(flag, name, text)
    elif flag.separator is not None:
        yield from _named(flag, name, flag.separator.join(_texts(value)))
    elif isinstance(value, list | tuple):
        yield name
        yield from _texts(value)
    else:
        yield from _named(flag, name, _text(value))


def _named(flag: Flag, name: str, text: str) -> Iterator[str]:
    if flag.joined is None:
        yield name
        yield text
    else:
        yield f"{name}{flag.joined}{text}"


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    return [_text(item) for item in value] if isinstance(value, list | tuple) else [_text(value)]


def _text(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Path):
        return os.fspath(value)
    return str(value)
