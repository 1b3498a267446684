"""Progress as programs print it."""

import re
from collections import deque
from math import isfinite

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
        try:
            self._pattern = re.compile(pattern)
        except re.error as error:
            raise ValueError(f"progress pattern {pattern!r} is no regular expression: {error}") from error
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
        if groups.get("percent") is not None:
            words = groups["percent"], "100", "%"
        else:
            words = groups.get("done"), groups.get("total") or "0", groups.get("unit") or ""
        try:
            done, total = float(words[0] or "nan"), float(words[1])
        except ValueError:  # what looked like a number is none: the program's business, not ours
            return None
        return Progress(done=done, total=total, unit=words[2]) if isfinite(done) and isfinite(total) else None
