"""Progress as programs print it."""

import re
from math import isfinite

from ..messages import Progress

__all__ = ["ProgressPattern"]

#: Characters that are looked at, the newest.
_WINDOW = 4096


class ProgressPattern:
    r"""A regular expression that finds progress in a program's output, near its end.

    Named groups say what was found: `percent`, or `done` with an optional `total`; and an optional `unit`. A `total` that
    was found alone, as many programs print it at their start, holds for what follows.

    >>> ProgressPattern(r"(?P<done>\d+)/(?P<total>\d+) frames").last("3/12 frames\r4/12 frames").done
    4.0
    >>> ProgressPattern(r"of (?P<total>\d+) rows|row (?P<done>\d+)").last("image of 12 rows\nrow 4").total
    12.0
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern)
        self._total = "0"
        self._total_is_due = "total" in self._pattern.groupindex

    def last(self, text: str) -> Progress | None:
        """Return the last progress near the end of `text`, `None` if there is none."""
        if self._total_is_due and len(text) > _WINDOW:
            self._groups(text[:_WINDOW])
        groups = self._groups(text[-_WINDOW:])
        if groups is None:
            return None
        if groups.get("percent") is not None:
            words = groups["percent"], "100", "%"
        else:
            words = groups.get("done"), groups.get("total") or self._total, groups.get("unit") or ""
        try:
            done, total = float(words[0] or "nan"), float(words[1])
        except ValueError:  # what looked like a number is none: the program's business, not ours
            return None
        return Progress(done=done, total=total, unit=words[2]) if isfinite(done) and isfinite(total) else None

    def _groups(self, text: str) -> dict[str, str | None] | None:
        """Return what the last match found that is more than a total; take note of a total that stands alone."""
        found = None
        for match in self._pattern.finditer(text):
            groups = match.groupdict()
            if groups.get("total") is None or groups.get("done") is not None or groups.get("percent") is not None:
                found = groups
            elif _is_number(groups["total"]):
                self._total, self._total_is_due = groups["total"], False
        return found


def _is_number(word: str) -> bool:
    try:
        return isfinite(float(word))
    except ValueError:
        return False
