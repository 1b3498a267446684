"""What goes wrong at a job's socket as often as its program likes, and must not fill the worker's log."""

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

__all__ = ["Complaints"]

logger = logging.getLogger(__name__)

#: Of each kind; the others are only counted.
_LOGGED = 10
#: By action, what there were so many of.
_TOTALS = {
    "message_lost": "messages for the program were dropped, the oldest of too many that it had not read",
    "message_skipped": "messages were skipped",
    "socket_incomplete": "connections ended before all was sent that was meant to be",
    "socket_not_accepted": "times, a connection could not be accepted yet",
    "socket_refused": "connections were refused",
}


class Complaints:
    """Logs the first complaints of each kind at once, and one total of them at the end."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        """Log with these facts, such as the job."""
        self._facts = facts
        self._counts: Counter[str] = Counter()
        self._logged: Counter[str] = Counter()

    def warn(self, action: str, text: str, *arguments: object, **facts: object) -> None:
        """Log a warning, or only count it."""
        self.note(logging.WARNING, action, text, *arguments, **facts)

    def note(self, level: int, action: str, text: str, *arguments: object, **facts: object) -> None:
        """Log it at a level, or only count it."""
        self.count(action)
        if self._logged[action] < _LOGGED:
            self._logged[action] += 1
            logger.log(level, text, *arguments, extra={**self._facts, **facts, "action": action})

    def count(self, action: str) -> None:
        """Only count it."""
        self._counts[action] += 1

    def sum_up(self) -> None:
        """Say how many there were of those that were not all logged."""
        for action, count in self._counts.items():
            if count > self._logged[action]:
                logger.warning("%d %s", count, _TOTALS[action], extra={**self._facts, "action": action})
        self._counts.clear()
        self._logged.clear()
