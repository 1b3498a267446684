"""The contract of what finds progress in a program's output."""

from typing import Protocol

from ..messages import Progress

__all__ = ["ProgressReader"]


class ProgressReader(Protocol):
    """Looks at a bounded part of the newest text, so that no program can keep it busy."""

    def last(self, text: str) -> Progress | None:
        """Return the last progress near the end of `text`, `None` if there is none; a piece of it may be cut off."""
