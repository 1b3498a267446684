"""The parts of what has rows and columns, and of mappings."""

import csv
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .parts import Shown, SummaryPart, TablePart, TextPart
from .plain import clean, new_path, plain_cell, plain_json, shortened
from .shown_values import file_part
from .values import Table

__all__ = ["array_parts", "frame_parts", "mapping_parts", "records_parts", "table_parts"]

_MOST_ROWS = 200
_MOST_COLUMNS = 50
_MOST_FACTS = 100
_LONGEST_NAME = 200
_MOST_DIMENSIONS = 2


def mapping_parts(mapping: Mapping[Any, Any], folder: Path) -> Iterator[Shown]:
    """Yield a summary or, of a long mapping, a table of names and values."""
    if len(mapping) > _MOST_FACTS:
        return _rows_parts(("name", "value"), mapping.items(), len(mapping), folder)
    return iter([SummaryPart(values={_name(key): plain_json(value) for key, value in mapping.items()})])


def table_parts(table: Table, folder: Path) -> Iterator[Shown]:
    """Yield a table of ours."""
    return _rows_parts(table.columns, table.rows, len(table.rows), folder)


def records_parts(records: Sequence[Mapping[Any, Any]], folder: Path) -> Iterator[Shown]:
    """Yield a table of mappings: a row of each, a column of each key."""
    columns = tuple(dict.fromkeys(itertools.chain.from_iterable(records)))
    rows = (tuple(record.get(column) for column in columns) for record in records)
    return _rows_parts(columns, rows, len(records), folder)


def frame_parts(frame: Any, folder: Path) -> Iterator[Shown]:
    """Yield a DataFrame of pandas; its index is a column, unless it only counts."""
    if type(frame.index).__name__ != "RangeIndex":
        frame = frame.reset_index()
    return _rows_parts(tuple(frame.columns), frame.itertuples(index=False, name=None), len(frame), folder)


def array_parts(array: Any, folder: Path) -> Iterator[Shown]:
    """Yield an array of numpy with named fields, or of at most two dimensions.

    Raises:
        ValueError: when it has more.
    """
    if array.dtype.names:
        return _rows_parts(array.dtype.names, array.ravel().tolist(), array.size, folder)
    if array.ndim == 0:
        return iter([TextPart(text=(text := str(array.item())), characters=len(text))])
    if array.ndim == 1:
        return _rows_parts(("value",), ((value,) for value in array.tolist()), len(array), folder)
    if array.ndim > _MOST_DIMENSIONS:
        raise ValueError(f"an array of shape {array.shape} is no table")
    return _rows_parts(range(array.shape[1]), array.tolist(), len(array), folder)


def _rows_parts(columns: Iterable[Any], rows: Iterable[Iterable[Any]], total: int, folder: Path) -> Iterator[Shown]:
    """Yield the first rows and, when there are more or they are wide, all as a file."""
    names = tuple(_name(column) for column in columns)
    rows = iter(rows)
    first = [tuple(row) for row in itertools.islice(rows, _MOST_ROWS)]
    yield TablePart(
        columns=names[:_MOST_COLUMNS],
        rows=tuple(tuple(map(plain_cell, row[:_MOST_COLUMNS])) for row in first),
        total_rows=total,
        total_columns=len(names),
    )
    if total > _MOST_ROWS or len(names) > _MOST_COLUMNS:
        path = new_path(folder, "table.csv")
        with path.open("w", newline="", encoding="utf-8", errors="replace") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            writer.writerows(itertools.chain(first, rows))
        yield file_part(path)


def _name(value: Any) -> str:
    return shortened(clean(str(value)), _LONGEST_NAME)
