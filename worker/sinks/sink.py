"""Where notices go: the contract of all sinks."""

from typing import Protocol

from .notice import Notice

__all__ = ["Sink", "SinkError", "Undeliverable"]


class SinkError(Exception):
    """A try did not work; the text says why, and holds no secret."""


class Undeliverable(SinkError):
    """A notice was refused, and would be each time."""


class Sink(Protocol):
    """Takes notices somewhere."""

    #: What the sink is called in logs; no secret is in it.
    name: str

    async def deliver(self, notice: Notice) -> None:
        """Take a notice where it goes, once. Whoever has lost patience cancels this.

        Raises:
            Undeliverable: when another try makes no sense.
            Exception: whatever else went wrong; only a `SinkError` is shown in full.
        """
