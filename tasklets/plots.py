"""Pictures of results, for people who look at many."""

from collections.abc import Sequence
from pathlib import Path

__all__ = ["plot_curve"]


def plot_curve(x: Sequence[float], y: Sequence[float], path: Path, *, title: str, x_label: str, y_label: str) -> Path:
    """Draw `y` over `x` into a file, and return its path; the suffix says the format, such as `.png` or `.svg`.

    It needs no display and keeps no state, so it may be called from any thread.

    Raises:
        ImportError: when matplotlib is not installed.
        ValueError: when the columns differ in length, or matplotlib does not know the format.
        OSError: when the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ImportError("plot_curve needs matplotlib: pip install 'outrider[plots]'") from error
    if len(x) != len(y):
        raise ValueError(f"a curve needs as many x as y, not {len(x)} and {len(y)}")
    figure = Figure(figsize=(8.0, 4.5), layout="constrained")
    axes = figure.add_subplot(title=title, xlabel=x_label, ylabel=y_label)
    axes.plot(x, y, linewidth=1.2)
    axes.margins(x=0.01)
    axes.grid(visible=True, alpha=0.3)
    figure.savefig(path, dpi=150)
    return path
