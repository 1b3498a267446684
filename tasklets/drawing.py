"""Curves as pictures, by matplotlib's objects: no display and no state, so any thread may draw."""

from pathlib import Path

from .values import PlotData

__all__ = ["draw"]

_MOST_IN_LEGEND = 20


def draw(data: PlotData, path: Path) -> None:
    """Draw curves into a file; the suffix says the format, such as `.png` or `.svg`.

    Raises:
        ImportError: when matplotlib is not installed.
        ValueError: when matplotlib does not know the format, or a label has a formula that it cannot read.
        OSError: when the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ImportError("a plot needs matplotlib: pip install 'outrider[plots]'") from error
    figure = Figure(figsize=(8.0, 4.5), layout="constrained")
    axes = figure.add_subplot(title=data.title, xlabel=data.x_label, ylabel=data.y_label)
    for series in data.series:
        axes.plot(series.x, series.y, linewidth=1.2, label=series.label or None)
    labelled = [series for series in data.series if series.label]
    if 0 < len(labelled) <= _MOST_IN_LEGEND:
        axes.legend()
    axes.margins(x=0.01)
    axes.grid(visible=True, alpha=0.3)
    figure.savefig(path, dpi=150)
