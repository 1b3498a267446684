"""Facts found in text files by patterns, line by line."""

import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from .decorator import tasklet
from .reading import Value, lines_of, typed
from .values import Table

__all__ = ["grep_text", "key_values", "parse_text"]

_LONGEST_PATTERN = 1000
_MOST_KEYS = 10_000


@tasklet
def grep_text(file: Path, pattern: str, *, ignore_case: bool = False, most: int = 10_000) -> Table:
    """Return the lines that a regular expression is found in, with their numbers: whole or, with named groups, these.

    Raises:
        ValueError: when the expression is wrong, or more than `most` lines match.
        OSError: when the file cannot be read.
    """
    compiled = _compiled(pattern, ignore_case=ignore_case)
    names = tuple(compiled.groupindex) or ("text",)
    rows: list[tuple[Value, ...]] = []
    for number, found in _found(file, compiled):
        if len(rows) == most:
            raise ValueError(
                f"more than {most} lines of {str(file)!r} match {pattern!r}: narrow it, or give a larger `most`"
            )
        values = found.groupdict().values() if compiled.groupindex else (found.string,)
        rows.append((number, *(typed(value) for value in values)))
    return Table(("line", *names), tuple(rows))


@tasklet
def parse_text(
    file: Path, pattern: str, *, which: Literal["first", "last"] = "last", ignore_case: bool = False
) -> dict[str, Value]:
    r"""Return the named groups of a regular expression, from the first or the last line that it is found in.

    Numbers become numbers: `R = (?P<r_factor>\S+)` makes `{"r_factor": 0.182}`.

    Raises:
        ValueError: when the expression is wrong or names no group, or no line matches.
        OSError: when the file cannot be read.
    """
    compiled = _compiled(pattern, ignore_case=ignore_case)
    if not compiled.groupindex:
        raise ValueError(f"the pattern {pattern!r} names no group; write (?P<name>...) around what you want")
    found = (match for _, match in _found(file, compiled))
    chosen = next(found, None) if which == "first" else next(iter(deque(found, maxlen=1)), None)
    if chosen is None:
        raise ValueError(f"no line of {str(file)!r} matches {pattern!r}")
    return {name: typed(value) for name, value in chosen.groupdict().items()}


@tasklet
def key_values(file: Path, *, separator: str = "=", comment: str = "#") -> dict[str, Value]:
    """Return what `key = value` lines say, numbers as numbers; of a key that comes again, the last.

    Other lines are passed over.

    Raises:
        ValueError: when there are too many keys, or none.
        OSError: when the file cannot be read.
    """
    found: dict[str, Value] = {}
    for _, line in lines_of(file):
        text = line.partition(comment)[0] if comment else line
        key, middle, value = text.partition(separator)
        if middle and key.strip():
            found[key.strip()] = typed(value.strip())
        if len(found) > _MOST_KEYS:
            raise ValueError(f"{str(file)!r} has more than {_MOST_KEYS} keys; take grep_text or read_table")
    if not found:
        raise ValueError(f"no line of {str(file)!r} has a {separator!r}")
    return found


def _compiled(pattern: str, *, ignore_case: bool) -> re.Pattern[str]:
    if len(pattern) > _LONGEST_PATTERN:
        raise ValueError(f"a pattern has at most {_LONGEST_PATTERN} characters, not {len(pattern)}")
    try:
        return re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except re.error as error:
        raise ValueError(f"the pattern {pattern!r} is no regular expression: {error}") from error


def _found(file: Path, pattern: re.Pattern[str]) -> Iterator[tuple[int, re.Match[str]]]:
    for number, line in lines_of(file):
        if match := pattern.search(line):
            yield number, match
