"""Progress as programs print it."""

import re
from collections import deque

from .messages import Progress

__all__ = ["ProgressPattern"]

_GROUPS = frozenset({"percent", "done", "total", "unit"})


class ProgressPattern:
    r"""A regular expression that finds progress in a program's output.

    Named groups say what was found: `percent`, or `done` with an optional `total`; and an optional `unit`.

    >>> ProgressPattern(r"(?P<done>\d+)/(?P<total>\d+) frames").last("3/12 frames\r4/12 frames").done
    4.0
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern)
        names = set(self._pattern.groupindex)
        if not names & {"percent", "done"} or not names <= _GROUPS:
            raise ValueError(
                f"progress pattern {pattern!r} needs a group named percent or done; it may have total and unit"
            )

    def last(self, text: str) -> Progress | None:
        """Return the last progress in `text`, `None` if there is none."""
        match = next(iter(deque(self._pattern.finditer(text), maxlen=1)), None)
        if match is None:
            return None
        groups = match.groupdict()
        try:
            if groups.get("percent") is not None:
                return Progress(done=float(groups["percent"]), total=100.0, unit="%")
            return Progress(
                done=float(groups["done"]), total=float(groups.get("total") or 0), unit=groups.get("unit") or ""
            )
        except ValueError:  # what looked like a number is none: the program's business, not ours
            return None
