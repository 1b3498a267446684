"""Where a class is written down: relative paths in it begin there."""

import sys
from pathlib import Path
from typing import Any

__all__ = ["definition_file"]


def definition_file(cls: type[Any]) -> Path | None:
    """Return the file that defines a class, a module's or a program's description; `None` for one that was typed in."""
    file = vars(cls).get("described_in") or getattr(sys.modules.get(cls.__module__), "__file__", None)
    return file and Path(file).absolute()
