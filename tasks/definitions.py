"""Where a class is written down: relative paths in it begin there, and two that were written alike are the same."""

import contextlib
import functools
import hashlib
import sys
from pathlib import Path
from typing import Any

__all__ = ["definition_digest", "definition_file"]


def definition_file(cls: type[Any]) -> Path | None:
    """Return the file that defines a class, a module's or a program's description; `None` for one that was typed in."""
    file = vars(cls).get("described_in") or getattr(sys.modules.get(cls.__module__), "__file__", None)
    return file and Path(file).absolute()


@functools.cache
def definition_digest(cls: type[Any]) -> str:
    """Return the begin of the sha256 of the file that defines a class, as it was when this was first asked; empty: none.

    A process that runs for long keeps the class as it was loaded, whatever becomes of the file.
    """
    file = definition_file(cls)
    with contextlib.suppress(OSError):
        if file is not None:
            return hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    return ""
