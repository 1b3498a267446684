"""Pictures of results, for people who look at many."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from .decorator import tasklet
from .drawing import draw
from .path_arguments import WrittenPath
from .values import PlotData, Series, Table

__all__ = ["plot", "plot_curve"]

_PLOT_DATA: TypeAdapter[PlotData] = TypeAdapter(PlotData)
_ADVICE = "give x and y, PlotData or a Table"
_TABLE: TypeAdapter[Table] = TypeAdapter(Table)


@tasklet
def plot(
    x: Any,
    y: Any = None,
    *,
    file: WrittenPath = Path("plot.png"),
    title: str = "",
    x_label: str = "",
    y_label: str = "",
) -> Path:
    """Draw curves into a file, and return its path; the suffix says the format, such as `.png` or `.svg`.

    Args:
        x: numbers; or, without `y`, one of: `PlotData`, a `Table` whose first column is x, numbers to draw over their
            index.
        y: numbers, or a mapping of labels to numbers.
        file: where to.
        title: instead of that of the `PlotData`.
        x_label: likewise.
        y_label: likewise.

    Raises:
        ImportError: when matplotlib is not installed.
        ValueError: when this is nothing to plot, columns differ in length, or matplotlib does not know the format.
        OSError: when the file cannot be written.
    """
    data = _plot_data(x, y)
    labelled = PlotData(data.series, title or data.title, x_label or data.x_label, y_label or data.y_label)
    draw(labelled, Path(file))
    return Path(file)


def plot_curve(x: Sequence[float], y: Sequence[float], path: Path, *, title: str, x_label: str, y_label: str) -> Path:
    """Draw `y` over `x` into a file, and return its path. Raises as `plot` does."""
    return plot(x, y, file=path, title=title, x_label=x_label, y_label=y_label)


def _plot_data(x: Any, y: Any) -> PlotData:
    if y is None:
        return x if isinstance(x, PlotData) else _of_mapping(x) if isinstance(x, Mapping) else _of_one(x)
    curves = y if isinstance(y, Mapping) else {"": y}
    return PlotData(tuple(Series(x, values, str(label)) for label, values in curves.items()))


def _of_mapping(value: Mapping[str, Any]) -> PlotData:
    """Return what a mapping says, such as ours are in JSON."""
    match value:
        case {"series": _}:
            return _PLOT_DATA.validate_python(value)
        case {"columns": _, "rows": _}:
            return _of_table(_TABLE.validate_python(value))
        case {"x": x, "y": y}:
            return _plot_data(x, y)
        case _:
            raise ValueError(f"cannot plot a mapping with the keys {', '.join(map(str, value))}; {_ADVICE}")


def _of_one(value: Any) -> PlotData:
    if isinstance(value, Table):
        return _of_table(value)
    if isinstance(value, str | bytes) or not hasattr(value, "__len__"):
        raise ValueError(f"cannot plot a value of type {type(value).__name__}; {_ADVICE}")
    return PlotData((Series(tuple(range(len(value))), value),))


def _of_table(table: Table) -> PlotData:
    if len(table.columns) < 2:  # noqa: PLR2004 - x and y
        raise ValueError(f"a plot of a table needs two columns, and this one has {', '.join(table.columns) or 'none'}")
    x, *others = table.columns
    series = tuple(Series(table.column(x), table.column(name), name) for name in others if _is_numeric(table, name))
    if not series:
        raise ValueError(f"none of the columns {', '.join(others)} holds numbers")
    return PlotData(series, x_label=x)


def _is_numeric(table: Table, name: str) -> bool:
    return all(isinstance(value, int | float) for value in table.column(name))
