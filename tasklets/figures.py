"""The parts of figures and plot data: pictures, and pages where the library makes them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .drawing import draw
from .parts import Shown, WarningPart
from .plain import new_path
from .shown_tables import table_parts
from .shown_values import file_part
from .values import PlotData, Table

__all__ = ["axes_parts", "figure_parts", "plot_parts", "plotly_parts"]

_DOTS_PER_INCH = 150


def plot_parts(data: PlotData, folder: Path) -> Iterator[Shown]:
    """Yield a picture or, where matplotlib is not installed, a warning and the numbers."""
    path = new_path(folder, "plot.png")
    try:
        draw(data, path)
    except ImportError as error:
        path.unlink()
        yield WarningPart(text=f"there is no picture: {error}")
        yield from _numbers(data, folder)
    except BaseException:
        path.unlink()
        raise
    else:
        yield file_part(path, data.title)


def figure_parts(figure: Any, folder: Path) -> Iterator[Shown]:
    """Yield a picture of a figure of matplotlib."""
    path = new_path(folder, "figure.png")
    try:
        figure.savefig(path, format="png", dpi=_DOTS_PER_INCH)
    except BaseException:
        path.unlink()
        raise
    yield file_part(path)


def axes_parts(axes: Any, folder: Path) -> Iterator[Shown]:
    """Yield a picture of the figure that the axes belong to."""
    return figure_parts(axes.figure, folder)


def plotly_parts(figure: Any, folder: Path) -> Iterator[Shown]:
    """Yield a page that needs no network and, where plotly can, a picture."""
    page = new_path(folder, "figure.html")
    figure.write_html(page, include_plotlyjs=True)
    yield file_part(page)
    picture = new_path(folder, "figure.png")
    try:
        figure.write_image(picture, format="png")
    except Exception as error:  # noqa: BLE001 - it depends on a browser, which fails in ways of its own
        picture.unlink()
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        yield WarningPart(text=f"plotly made a page but no picture: {reason}"[:500])
    else:
        yield file_part(picture)


def _numbers(data: PlotData, folder: Path) -> Iterator[Shown]:
    rows = tuple(
        (s.label or f"curve {n}", x, y) for n, s in enumerate(data.series, 1) for x, y in zip(s.x, s.y, strict=True)
    )
    return table_parts(Table(("curve", data.x_label or "x", data.y_label or "y"), rows), folder)
