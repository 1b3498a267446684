"""Tasklets of the tests' own, as a user would write them in a module."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import outrider
from outrider import Table

if TYPE_CHECKING:
    import numpy as np


@outrider.tasklet
def add(x: int, y: int = 1) -> int:
    """Add two numbers."""
    return x + y


@outrider.tasklet(name="count-lines", time_limit="30s")
def count_lines(file: Path) -> int:
    return len(file.read_text().splitlines())


@outrider.tasklet
def total(values: list[float], scale: float = 1.0, *more: float, **others: float) -> float:
    return sum(values) * scale + sum(more) + sum(others.values())


@outrider.tasklet
def largest(curve: "np.ndarray", note: Any = None) -> float:
    return float(max(curve))


@outrider.tasklet
def wait(limit: timedelta = timedelta(seconds=1)) -> float:
    return limit.total_seconds()


@outrider.tasklet
def two_rows() -> Table:
    return Table(("q", "counts"), ((0.1, 3), (0.2, 5)))
