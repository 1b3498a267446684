"""Text files read in bounded lines, and words that are numbers."""

import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Value", "lines_of", "typed"]

Value = str | int | float | None

#: A longer line is taken in pieces of this size: a file may be anything.
_LONGEST_LINE = 64 * 1024
_INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE | re.ASCII)


def lines_of(file: Path) -> Iterator[tuple[int, str]]:
    """Yield a text file's lines with their numbers from 1, without their ends; bytes that are no UTF-8 are replaced."""
    with Path(file).open(encoding="utf-8", errors="replace") as text:
        number, is_new = 0, True
        while line := text.readline(_LONGEST_LINE):
            number += is_new
            is_new = line.endswith("\n")
            yield number, line.removesuffix("\n")


def typed(word: str | None) -> Value:
    """Return the number that a word is, else the word. One with leading zeros, such as `0012`, is a name."""
    if word is None:
        return None
    if _INTEGER.fullmatch(word):
        return int(word)
    if _NUMBER.fullmatch(word) and not re.match(r"[+-]?0\d", word):
        return float(word)
    return word
