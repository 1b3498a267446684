"""What a tasklet returns decides what happens: from a value to the parts that are recorded and shown."""

import dataclasses
import itertools
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from .figures import axes_parts, figure_parts, plot_parts, plotly_parts
from .parts import Shown, WarningPart
from .shown_tables import array_parts, frame_parts, mapping_parts, records_parts, table_parts
from .shown_values import file_parts, notice_parts, parameters_parts, path_parts, text_parts
from .values import File, NewParameters, Notice, PlotData, Table

__all__ = ["shown", "shows"]

logger = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[[Any], Any])

#: Makes parts of a value, with files in a folder.
_Shower = Callable[[Any, Path], Iterator[Shown]]

_MOST_PARTS = 50
_DEEPEST = 4

#: By class, or by package and name for classes of libraries that are not imported for this.
_SHOWERS: dict[type | str, _Shower] = {
    str: text_parts,
    int: text_parts,
    float: text_parts,
    dict: mapping_parts,
    Mapping: mapping_parts,
    Path: path_parts,
    File: file_parts,
    Table: table_parts,
    PlotData: plot_parts,
    Notice: notice_parts,
    NewParameters: parameters_parts,
    "numpy.generic": text_parts,
    "numpy.ndarray": array_parts,
    "pandas.DataFrame": frame_parts,
    "matplotlib.Figure": figure_parts,
    "matplotlib.Axes": axes_parts,
    "plotly.BaseFigure": plotly_parts,
}
_TRANSLATIONS: dict[type | str, Callable[[Any], Any]] = {}


def shows(kind: type | str) -> Callable[[F], F]:
    """Say how values of a class are shown: the decorated function returns, for such a value, one of a kind that is known.

    >>> @shows(complex)
    ... def as_summary(value: complex) -> dict[str, float]:
    ...     return {"real": value.real, "imaginary": value.imag}

    Args:
        kind: a class, for it and those derived from it; or package and name, such as `"xarray.Dataset"`, which imports
            nothing.
    """

    def register(function: F) -> F:
        _TRANSLATIONS[kind] = function
        return function

    return register


def shown(value: Any, folder: Path) -> list[Shown]:
    """Return the parts of what a tasklet has returned. It never raises: what cannot be shown becomes a warning.

    `None` has no parts. Files that are made lie in the folder.
    """
    parts = _parts(value, folder, depth=0)
    found = list(itertools.islice(parts, _MOST_PARTS))
    if next(parts, None) is not None:
        found.append(WarningPart(text=f"more than {_MOST_PARTS} things were returned; the rest is not shown"))
    return found


def _parts(value: Any, folder: Path, depth: int) -> Iterator[Shown]:
    try:
        yield from _parts_by_kind(value, folder, depth)
    except Exception as error:  # noqa: BLE001 - even to ask for a class may run somebody else's code
        yield _failure(value, error)


def _parts_by_kind(value: Any, folder: Path, depth: int) -> Iterator[Shown]:
    if value is None:
        return
    if depth > _DEEPEST:
        yield WarningPart(text=f"what was returned is nested too deeply to be shown: {_kind(value)}")
    elif (translate := _for_class_of(value, _TRANSLATIONS)) is not None:
        yield from _translated(translate, value, folder, depth)
    elif isinstance(value, list | tuple) and not _is_named(value):
        yield from _sequence_parts(value, folder, depth)
    else:
        yield from _shown_safely(_shower_of(value), value, folder)


def _sequence_parts(values: list[Any] | tuple[Any, ...], folder: Path, depth: int) -> Iterator[Shown]:
    if len(values) > 1 and all(type(value) is dict for value in values):
        yield from _shown_safely(records_parts, values, folder)
        return
    for value in values:
        yield from _parts(value, folder, depth + 1)


def _translated(translate: Callable[[Any], Any], value: Any, folder: Path, depth: int) -> Iterator[Shown]:
    try:
        plain = translate(value)
    except Exception as error:  # noqa: BLE001 - it is somebody else's code, and only showing depends on it
        yield _failure(value, error)
    else:
        yield from _parts(plain, folder, depth + 1)


def _shown_safely(shower: _Shower, value: Any, folder: Path) -> list[Shown]:
    try:
        return list(shower(value, folder))
    except Exception as error:  # noqa: BLE001 - likewise
        return [_failure(value, error)]


def _failure(value: Any, error: Exception) -> WarningPart:
    logger.warning("a returned value cannot be shown", exc_info=error, extra={"action": "value_not_shown"})
    try:
        text = f"a value of type {_kind(value)} cannot be shown: {type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - neither may have a name or words
        text = "what was returned cannot be shown, and fails to say what it is"
    return WarningPart(text=text[:1000])


def _shower_of(value: Any) -> _Shower:
    known: _Shower | None = None if _is_named(value) else _for_class_of(value, _SHOWERS)
    if known is not None:
        return known
    if facts := _facts(value):
        return lambda _value, folder: mapping_parts(facts, folder)
    return _unknown


def _facts(value: Any) -> dict[str, Any] | None:
    """Return the fields of a value that has some: of a dataclass, a pydantic model or a named tuple."""
    if isinstance(value, BaseModel):
        return dict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return value._asdict() if _is_named(value) else None


def _unknown(value: Any, _folder: Path) -> Iterator[Shown]:
    advice = (
        "return text, a mapping, a Table, PlotData, a figure or a File, or say how it is shown with @outrider.shows"
    )
    yield WarningPart(text=f"a value of type {_kind(value)} was returned, which nobody knows how to show: {advice}")


def _for_class_of(value: Any, table: Mapping[type | str, Any]) -> Any:
    """Return what the table holds for the nearest of the value's classes."""
    for cls in type(value).__mro__:
        found = table.get(cls) or table.get(f"{cls.__module__.partition('.')[0]}.{cls.__name__}")
        if found is not None:
            return found
    return None


def _is_named(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")


def _kind(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
