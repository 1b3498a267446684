"""Questions to columns of numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Peak", "strongest_peak"]


@dataclass(frozen=True)
class Peak:
    """A maximum of a curve, in the units of its columns."""

    position: float
    height: float


def strongest_peak(x: Sequence[float], y: Sequence[float]) -> Peak:
    """Return where `y` is highest, the first such place if there are several; NaN is passed over.

    Raises:
        ValueError: when the columns differ in length, or `y` holds no number.
    """
    if len(x) != len(y):
        raise ValueError(f"a curve needs as many x as y, not {len(x)} and {len(y)}")
    heights = [(height, position) for position, height in zip(x, y, strict=True) if not math.isnan(height)]
    if not heights:
        raise ValueError(f"there is no peak: none of the {len(y)} values is a number")
    height, position = max(heights, key=lambda pair: pair[0])
    return Peak(position, height)
