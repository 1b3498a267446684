"""Progress of programs that print a sign, or a line, for each thing that is done."""

import asyncio
import logging
import re
from collections.abc import Callable
from math import isfinite

from ..messages import Progress, Stream
from .match_count import MatchCount

__all__ = ["ProgressTally"]

logger = logging.getLogger(__name__)


class ProgressTally:
    r"""Counts the matches of a pattern on all streams since the program's start.

    >>> tally = ProgressTally(r"\*", total=50)
    >>> tally.feed("stdout", b"0% |***")
    >>> tally.last("").done
    3.0
    """

    def __init__(self, pattern: str, total: float | Callable[[], float] = 0.0, unit: str = "") -> None:
        """Say what to count.

        Args:
            pattern: what is counted; where it has a group `count`, the numbers in it are added up.
            total: how many there will be, 0 when nobody knows; a function is asked once, from a thread.
            unit: what is counted, for people.
        """
        self._pattern = re.compile(pattern, re.MULTILINE)
        self._total = 0.0 if callable(total) else _known(float(total))
        self._ask = total if callable(total) else None
        self._unit = unit
        self._counts: dict[Stream, MatchCount] = {}
        self._given = Progress(done=0.0)

    def feed(self, stream: Stream, data: memoryview | bytes) -> None:
        """Take the next bytes of a stream."""
        if self._ask:
            asyncio.get_running_loop().run_in_executor(None, self._learn_total, self._ask)
            self._ask = None
        if stream not in self._counts:
            self._counts[stream] = MatchCount(self._pattern)
        self._counts[stream].feed(data)

    def last(self, text: str) -> Progress | None:  # noqa: ARG002  # of the contract: a text alone does not say what was counted before
        """Return what was counted, if that is news: a count never goes back."""
        done = max(self._given.done, sum(count.value for count in self._counts.values()))
        progress = Progress(done=done, total=self._total, unit=self._unit)
        if done == 0 or progress == self._given or not isfinite(done):
            return None
        self._given = progress
        return progress

    def _learn_total(self, ask: Callable[[], float]) -> None:
        try:
            self._total = _known(float(ask()))
        except Exception:
            logger.exception("cannot tell the total of the progress", extra={"action": "total_unknown"})


def _known(total: float) -> float:
    """Return a total that may come from a parameter; 0 when it is none, or no number that JSON has."""
    return total if isfinite(total) and total > 0 else 0.0
