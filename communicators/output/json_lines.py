"""Progress that programs print as JSON, one object per line."""

import json
from collections.abc import Iterator
from math import isfinite
from typing import Any

from ..messages import Progress

__all__ = ["JsonLines"]

#: Lines that are read as JSON in one look, the newest.
_MOST = 100


class JsonLines:
    """Finds progress in the fields of JSON objects; a dot in a field's name leads into an inner object.

    Lines that are something else, or have no such field, are somebody's log text.

    >>> JsonLines("at.frame", "frames", "frames").last('{"at": {"frame": 3}, "frames": 12}').done
    3.0
    """

    def __init__(self, done: str, total: str | float = 0.0, unit: str = "") -> None:
        """Say what to look for.

        Args:
            done: the field that says how far the program is.
            total: the field that says how far it will go, or a number; 0 when nobody knows.
            unit: what is counted.
        """
        self._done = done.split(".")
        self._total = total
        self._unit = unit

    def last(self, text: str) -> Progress | None:
        """Return the last progress near the end of `text`, `None` if there is none."""
        for _, fact in zip(range(_MOST), self._objects(text), strict=False):
            if (done := _number(fact, self._done)) is not None:
                return Progress(done=done, total=self._total_of(fact), unit=self._unit)
        return None

    def _objects(self, text: str) -> Iterator[Any]:
        """Yield what the newest lines hold that look like objects, the last one first."""
        name = self._done[-1]
        for line in reversed(text.replace("\r", "\n").split("\n")):
            if name in line and line.lstrip().startswith("{"):
                try:
                    yield json.loads(line)
                except (ValueError, RecursionError):  # cut off, or never meant as JSON
                    continue

    def _total_of(self, fact: Any) -> float:
        if isinstance(self._total, str):
            return _number(fact, self._total.split(".")) or 0.0
        return self._total


def _number(fact: Any, path: list[str]) -> float | None:
    for name in path:
        fact = fact.get(name) if isinstance(fact, dict) else None
    if isinstance(fact, bool) or not isinstance(fact, int | float):
        return None
    try:
        number = float(fact)
    except OverflowError:  # JSON bounds no number
        return None
    return number if isfinite(number) else None
