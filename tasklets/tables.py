"""Columns of numbers: read from files, and questioned."""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .decorator import tasklet
from .reading import Value, lines_of, typed
from .values import Table

__all__ = ["Peak", "read_table", "strongest_peak"]


@dataclass(frozen=True)
class Peak:
    """A maximum of a curve, in the units of its columns."""

    position: float
    height: float


@tasklet
def strongest_peak(x: Sequence[float], y: Sequence[float]) -> Peak:
    """Return where `y` is highest, the first such place if there are several; NaN is passed over.

    Raises:
        ValueError: when the columns differ in length, or `y` holds no number.
    """
    if len(x) != len(y):
        raise ValueError(f"a curve needs as many x as y, not {len(x)} and {len(y)}")
    heights = [(height, position) for position, height in zip(x, y, strict=True) if not math.isnan(height)]
    if not heights:
        raise ValueError(f"there is no peak: none of the {len(y)} values is a number")
    height, position = max(heights, key=lambda pair: pair[0])
    return Peak(position, height)


@tasklet
def read_table(
    file: Path,
    *,
    separator: str | None = None,
    names: list[str] | None = None,
    columns: list[str] | None = None,
    comment: str = "#",
    skip: int = 0,
    most: int = 1_000_000,
) -> Table:
    """Read columns from a text file, numbers as numbers.

    Args:
        file: what to read.
        separator: what stands between the values, such as `,`, with CSV's quotes; default: any white space.
        names: of the columns; default: the words of the first line.
        columns: the names of those that are wanted, in this order; default: all.
        comment: what a line begins with that is passed over, as empty ones are.
        skip: how many lines at the beginning to pass over.
        most: how many rows it may have.

    Raises:
        ValueError: when there is no header, a row is too short or too long, there are too many, or a column is missing.
        OSError: when the file cannot be read.
    """
    rows = _rows(file, separator, comment, skip)
    header = list(names) if names else _header(rows, file)
    wanted = [_place(header, name, file) for name in columns or header]
    values: list[tuple[Value, ...]] = []
    for number, words in rows:
        if len(words) != len(header):
            raise ValueError(f"line {number} of {str(file)!r} has {len(words)} values for {len(header)} columns")
        if len(values) == most:
            raise ValueError(f"{str(file)!r} has more than {most} rows; give a larger `most`")
        values.append(tuple(typed(words[place].strip()) for place in wanted))
    return Table(tuple(header[place] for place in wanted), tuple(values))


def _rows(file: Path, separator: str | None, comment: str, skip: int) -> Iterator[tuple[int, list[str]]]:
    if separator is not None and len(separator) != 1:
        raise ValueError(f"a separator is one character, not {separator!r}")
    for number, line in lines_of(file):
        text = line.strip()
        if number <= skip or not text or (comment and text.startswith(comment)):
            continue
        yield number, text.split() if separator is None else next(csv.reader([line], delimiter=separator))


def _header(rows: Iterator[tuple[int, list[str]]], file: Path) -> list[str]:
    for _, words in rows:
        return [word.strip() for word in words]
    raise ValueError(f"there is no table in {str(file)!r}: it has no line with values")


def _place(header: list[str], name: str, file: Path) -> int:
    if name not in header:
        raise ValueError(f"{str(file)!r} has no column {name!r}; it has {', '.join(header)}")
    return header.index(name)
