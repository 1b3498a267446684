"""How often a pattern was found in a stream since its start."""

import codecs
import contextlib
import logging
import re
import time
from math import isfinite

from .output_tail import ESCAPE

__all__ = ["MatchCount"]

logger = logging.getLogger(__name__)

#: Characters that are searched at once.
_WINDOW = 4096
#: CPU seconds for a piece of text. A mebibyte of lines takes a hundredth; a pattern may need the square of their length.
_PATIENCE_SECONDS = 0.25


class MatchCount:
    """Counts the matches of a pattern in text that comes in pieces, or adds up the numbers in its group `count`.

    A match is counted once, wherever the pieces were cut, and as soon as it is seen, in a line without an end as well. It
    lies within one line, which a carriage return ends, too, and has at the most half a window of characters. A pattern that
    is too slow for what a program prints misses some of it.
    """

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern
        self._adds_up = "count" in pattern.groupindex
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        #: What was found in text that is done with.
        self._settled = 0.0
        #: The newest text, no longer than the window: what comes next may change what is found in it.
        self._rest = ""

    @property
    def value(self) -> float:
        """What was found until now."""
        return self._settled + self._found(self._rest, 0, len(self._rest))

    def feed(self, data: bytes | memoryview) -> None:
        """Take the next bytes."""
        text = self._rest + self._decoder.decode(data)
        if "\x1b" in text:
            text = ESCAPE.sub("", text)
        begin = 0
        deadline = time.thread_time() + _PATIENCE_SECONDS
        while len(text) - begin > _WINDOW:
            begin = self._settle(text, begin)
            if time.thread_time() > deadline and len(text) - begin > _WINDOW:
                begin = self._skip(text, begin)
        self._rest = text[begin:]

    def _skip(self, text: str, begin: int) -> int:
        """Leave out all but the last window: others wait, too."""
        left_out = len(text) - begin - _WINDOW
        words = "it takes too long to search for %s: %s characters are left out"
        logger.warning(words, self._pattern.pattern, left_out, extra={"action": "progress_left_out"})
        return begin + left_out

    def _settle(self, text: str, begin: int) -> int:
        """Count in the window that begins here, up to its last line end, and return where the next one begins."""
        end = begin + _WINDOW
        cut = 1 + max(text.rfind("\n", begin, end), text.rfind("\r", begin, end))
        if cut:
            self._settled += self._found(text, begin, cut)
            return cut
        half = begin + _WINDOW // 2
        for match in self._pattern.finditer(
            text, begin, end
        ):  # a long line: what begins in its first half has room to end
            if match.start() >= half:
                break
            self._settled += self._worth(match)
            begin = match.end()
        return max(begin, half)

    def _found(self, text: str, begin: int, end: int) -> float:
        if not self._adds_up:
            return len(self._pattern.findall(text, begin, end))
        if self._pattern.groups == 1:  # the way for a million lines
            with contextlib.suppress(ValueError):
                total = sum(map(float, self._pattern.findall(text, begin, end)))
                if isfinite(total):
                    return total
        return sum(map(self._worth, self._pattern.finditer(text, begin, end)))

    def _worth(self, match: re.Match[str]) -> float:
        if not self._adds_up:
            return 1
        try:
            number = float(match["count"] or 0)
        except ValueError:  # what looked like a number is none: the program's business, not ours
            return 0
        return number if isfinite(number) else 0
