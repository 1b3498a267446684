"""Progress as programs print it."""

import re
from collections import deque
from math import isfinite

from ..messages import Progress

__all__ = ["ProgressPattern"]

#: Characters that are looked at, the newest.
_WINDOW = 4096


class ProgressPattern:
    r"""A regular expression that finds progress in a program's output, near its end.

    Named groups say what was found: `percent`, or `done` with an optional `total`; and an optional `unit`.

    >>> ProgressPattern(r"(?P<done>\d+)/(?P<total>\d+) frames").last("3/12 frames\r4/12 frames").done
    4.0
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern)

    def last(self, text: str) -> Progress | None:
        """Return the last progress near the end of `text`, `None` if there is none."""
        match = next(iter(deque(self._pattern.finditer(text[-_WINDOW:]), maxlen=1)), None)
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
