"""What a tasklet may return when it wants more than text or a mapping to be shown."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, model_validator
from pydantic.dataclasses import dataclass

from .arguments import for_json

__all__ = ["File", "NewParameters", "Notice", "Numbers", "PlotData", "Series", "Table"]


def _plain_numbers(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


#: A column of numbers: any sequence, or an array.
Numbers = Annotated[tuple[float, ...], BeforeValidator(_plain_numbers)]


@dataclass(frozen=True)
class Table:
    """Named columns and rows of values, shown as a table and kept as CSV when it is long."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @model_validator(mode="after")
    def _check_width(self) -> Self:
        for number, row in enumerate(self.rows, 1):
            if len(row) != len(self.columns):
                raise ValueError(f"row {number} has {len(row)} values for {len(self.columns)} columns")
        return self

    def column(self, name: str) -> tuple[Any, ...]:
        """Return the values of one column.

        Raises:
            ValueError: when there is no such column.
        """
        if name not in self.columns:
            raise ValueError(f"there is no column {name!r}; there are {', '.join(self.columns)}")
        place = self.columns.index(name)
        return tuple(row[place] for row in self.rows)


@dataclass(frozen=True)
class Series:
    """One curve."""

    x: Numbers
    y: Numbers
    label: str = ""

    @model_validator(mode="after")
    def _check_length(self) -> Self:
        if len(self.x) != len(self.y):
            raise ValueError(f"a curve needs as many x as y, not {len(self.x)} and {len(self.y)}")
        return self


@dataclass(frozen=True)
class PlotData:
    """Curves and their labels, shown as a picture; who returns it needs no library to draw."""

    series: tuple[Series, ...]
    title: str = ""
    x_label: str = ""
    y_label: str = ""


@dataclass(frozen=True)
class File:
    """A file to be registered with the job or, with `move_to`, to be moved there."""

    path: Path
    move_to: Path | None = None
    #: What people call it; default: as the file is called.
    name: str = ""


@dataclass(frozen=True)
class Notice:
    """Something to be told to people by whatever sinks an operator has configured."""

    text: str
    title: str = ""
    #: Files that go with it.
    attachments: tuple[Path, ...] = ()


class NewParameters(dict[str, Any]):
    """Parameters that a tasklet before the program changes, by name: `return NewParameters(bins=500)`."""

    def __init__(self, parameters: Mapping[str, Any] | Sequence[tuple[str, Any]] = (), /, **more: Any) -> None:
        """Take JSON values, and what can be made such.

        Raises:
            TypeError: when a value is no JSON.
        """
        super().__init__(for_json(type(self).__name__, (), dict(parameters, **more))[1])
