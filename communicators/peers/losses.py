"""What a first-party task said and nobody can read: whoever watches its job learns that something is missing, and why."""

from ..messages import LogLines
from .program_messages import Unreadable

__all__ = ["Losses"]

#: Of one job; the others are only counted.
_MOST_TOLD = 10


class Losses:
    """Makes lines of output of the first losses, each to stand in the place of what was lost, and one of their total."""

    def __init__(self) -> None:
        self._count = 0

    def line_for(self, lost: Unreadable) -> LogLines | None:
        """Count a loss, and return what stands in its place; `None` when enough were told."""
        self._count += 1
        if self._count > _MOST_TOLD:
            return None
        what = {"report": "a report", "?": "a message"}.get(lost.kind, f"a message of kind {lost.kind!r}")
        return _line(f"{what} was not kept: {lost.reason}")

    def total(self) -> LogLines | None:
        """Return what is to be said at the end; `None` when all were told."""
        count, self._count = self._count, 0
        return _line(f"{count} messages in all were not kept") if count > _MOST_TOLD else None


def _line(text: str) -> LogLines:
    return LogLines(stream="socket", lines=(f"outrider: {text}",), source="socket")
