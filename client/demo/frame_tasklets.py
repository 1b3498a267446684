"""Tasklets of the demonstration: they look at frames before they are integrated, and at the pattern after."""

import statistics
from pathlib import Path
from typing import Any

from ...tasklets import Table, tasklet

__all__ = ["check_frames", "list_peaks"]


@tasklet
def check_frames(images: list[Path]) -> dict[str, Any]:
    """Make sure that all frames are there, can be read, and have one shape.

    Raises:
        ValueError: naming the first frame that is not as the others.
        OSError: naming the first that cannot be read.
    """
    import fabio  # of the extra `demo`

    first: tuple[int, ...] | None = None
    for image in images:
        with fabio.open(str(image)) as frame:
            shape = frame.data.shape
        first = first or shape
        if shape != first:
            raise ValueError(f"{image} has the shape {shape}, and {images[0]} has {first}")
    return {"frames": len(images), "shape": " x ".join(map(str, first or ()))}


@tasklet
def list_peaks(x: list[float], y: list[float], least: float = 0.1) -> Table:
    """List the peaks of a curve: where they are, and how high they rise above its median.

    Args:
        x: positions.
        y: heights.
        least: lower ones are left out; a fraction of the highest.
    """
    background = statistics.median(y)
    lowest = background + least * (max(y) - background)
    places = (n for n in range(1, len(y) - 1) if y[n - 1] < y[n] >= y[n + 1] and y[n] >= lowest)
    return Table(("position", "height"), tuple((x[n], y[n] - background) for n in places))
