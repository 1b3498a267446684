"""Word to people, by the sinks that an operator has configured."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .decorator import tasklet
from .values import Notice

__all__ = ["notify"]


@tasklet
def notify(message: Any, *, title: str = "", attachments: list[Path] | None = None) -> Notice:
    """Return a notice for the sinks.

    Args:
        message: text, or a mapping, of which each line says one fact.
        title: what it is about.
        attachments: files that go with it.
    """
    if isinstance(message, Mapping):
        message = "\n".join(f"{key}: {value}" for key, value in message.items())
    return Notice(str(message), title, tuple(attachments or ()))
