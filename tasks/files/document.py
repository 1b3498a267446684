"""A YAML file that has been read: its value, and where in the file each part of it stands."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...config import open_regular
from ...config.errors import InvalidFile

__all__ = ["Document", "Place", "Spot", "invalid_file", "read_document"]

#: The way to a part of a document: keys and positions, from the outermost on.
Place = tuple[str | int, ...]

_LARGEST_BYTES = 2**20
_MOST_PROBLEMS = 20
_LONGEST_PROBLEM = 500


@dataclass(frozen=True)
class Spot:
    """Where a part of a document stands, and how a scalar is written there."""

    line: int
    written: str = ""


@dataclass(frozen=True)
class Document:
    """A file's value, made of mappings, lists, texts, numbers, booleans and `None` only."""

    path: Path
    value: Any
    spots: Mapping[Place, Spot]

    @property
    def folder(self) -> Path:
        """The folder that relative paths in the file begin at."""
        return self.path.parent

    def part(self, place: Place) -> Place:
        """Return the innermost part that is there, on the way to a place."""
        while place not in self.spots and place:
            place = place[:-1]
        return place

    def line_of(self, place: Place) -> int:
        """Return the line of a part, or of the innermost one around it that is there; lines count from 1."""
        spot = self.spots.get(self.part(place))
        return spot.line if spot else 1

    def written(self, place: Place) -> str:
        """Return a scalar as the file has it; nothing for other parts."""
        spot = self.spots.get(place)
        return spot.written if spot else ""

    def problem(self, place: Place, words: str) -> str:
        """Return what is wrong, with its line."""
        return f"line {self.line_of(place)}: {words}"

    def invalid(self, problems: list[str]) -> InvalidFile:
        """Return an error with problems of this file, in the order of their lines."""
        return invalid_file(self.path, problems)

    def mapping(self, what: str) -> dict[str, Any]:
        """Return the value, which must be a mapping.

        Raises:
            InvalidFile: saying what the file should be.
        """
        if isinstance(self.value, dict):
            return self.value
        found = "empty" if self.value is None else f"a {type(self.value).__name__}"
        raise self.invalid([self.problem((), f"the file is {found}; it must be {what}, as `key: value` lines")])


def invalid_file(path: Path, problems: list[str]) -> InvalidFile:
    """Return an error with the first problems of a file, in the order of their lines, none of them endless."""
    ordered = sorted((_shortened(problem) for problem in dict.fromkeys(problems)), key=_line)
    more = [f"and {len(ordered) - _MOST_PROBLEMS} more"] if len(ordered) > _MOST_PROBLEMS else []
    return InvalidFile(str(path), ordered[:_MOST_PROBLEMS] + more)


def read_document(path: Path | str) -> Document:
    """Read a YAML file of at most 1 MiB.

    Raises:
        InvalidFile: when it cannot be read, is no UTF-8, or is not what `strict_yaml` takes for YAML.
    """
    from .strict_yaml import compose

    whole = Path(os.path.abspath(Path(path).expanduser()))
    value, spots = compose(whole, _text_of(whole))
    return Document(whole, value, spots)


def _text_of(path: Path) -> str:
    try:
        with open_regular(path) as file:
            data = file.read(_LARGEST_BYTES + 1)
    except FileNotFoundError as error:
        raise InvalidFile(str(path), ["there is no such file"]) from error
    except (OSError, ValueError) as error:
        raise InvalidFile(str(path), [f"it cannot be read: {getattr(error, 'strerror', None) or error}"]) from error
    if len(data) > _LARGEST_BYTES:
        raise InvalidFile(str(path), ["it is larger than 1 MiB; such a file holds no data, it names them"])
    return _decoded(path, data)


def _decoded(path: Path, data: bytes) -> str:
    if (at := data.find(b"\0")) >= 0:
        raise InvalidFile(str(path), [f"line {_lines(data[:at])}: a NUL character; this is no UTF-8 text"])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = f"line {_lines(data[: error.start])}"
        raise InvalidFile(str(path), [f"{where}: the byte 0x{data[error.start]:02x} is no UTF-8"]) from error


def _lines(data: bytes) -> int:
    return data.count(b"\n") + 1


def _line(problem: str) -> int:
    number = problem.partition(":")[0].removeprefix("line ")
    return int(number) if number.isdecimal() else 0


def _shortened(problem: str) -> str:
    problem = " ".join(problem.splitlines())
    return problem if len(problem) <= _LONGEST_PROBLEM else f"{problem[:_LONGEST_PROBLEM]}…"
