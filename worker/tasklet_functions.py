"""The tasklets that a runner can run, by name."""

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..config.errors import CatalogueError, OutriderError

__all__ = ["TaskletFunctions", "shown"]


class TaskletFunctions:
    """What some modules bring. That they cannot be loaded is told to whoever asks for a tasklet."""

    def __init__(self, modules: Sequence[str]) -> None:
        """Import the modules."""
        self._modules = modules
        self._refusal: OutriderError | None = None

    def __getitem__(self, name: str) -> Callable[..., Any]:
        module, _, function = name.partition(":")
        if module not in self._modules:
            raise CatalogueError(f"no tasklet is called {name!r}")
        found: Callable[..., Any] = getattr(importlib.import_module(module), function)
        return found


def shown(value: Any, folder: Path) -> list[dict[str, Any]]:
    return []
