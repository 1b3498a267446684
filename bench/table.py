"""The rows of the table, what they aim at, and how they are shown."""

import statistics
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table

__all__ = ["Aim", "Report", "Row", "ratio_row"]


class Aim(BaseModel):
    """A bound on what a row compares."""

    model_config = ConfigDict(frozen=True)

    relation: Literal["≥", "≤"]
    bound: float
    unit: str = ""

    @classmethod
    def at_least(cls, bound: float, unit: str = "") -> Self:
        """Return a lower bound."""
        return cls(relation="≥", bound=bound, unit=unit)

    @classmethod
    def at_most(cls, bound: float, unit: str = "") -> Self:
        """Return an upper bound."""
        return cls(relation="≤", bound=bound, unit=unit)

    def met_by(self, value: float) -> bool:
        """Whether a value keeps the bound."""
        return value >= self.bound if self.relation == "≥" else value <= self.bound

    def __str__(self) -> str:
        return f"{self.relation} {self.bound:g} {self.unit}".rstrip()


class Row(BaseModel):
    """One measured thing."""

    model_config = ConfigDict(frozen=True)

    name: str
    unit: str
    ours: float
    plain: float
    #: The number that the aim is about: a ratio or a difference, as `compared_as` says.
    compared: float
    compared_as: str
    #: `None`: the row is shown for the picture, nothing was promised.
    aim: Aim | None = None

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; `None` without one."""
        return None if self.aim is None else self.aim.met_by(self.compared)


def ratio_row(name: str, unit: str, rounds: list[tuple[float, float]], aim: Aim | None = None) -> Row:
    """Compare by the median of the rounds' ratios: what slowed both sides of a round leaves its ratio alone."""
    return Row(
        name=name,
        unit=unit,
        ours=statistics.median(ours for ours, _ in rounds),
        plain=statistics.median(plain for _, plain in rounds),
        compared=statistics.median(ours / plain for ours, plain in rounds),
        compared_as="times",
        aim=aim,
    )


class Report(BaseModel):
    """All rows of one run, and notes for the reader."""

    rows: list[Row] = []
    notes: list[str] = []

    def show(self, console: Console) -> None:
        """Print the table and the notes."""
        table = Table(title="Outrider beside plain Celery, same run, same Redis")
        for heading in ("what", "unit"):
            table.add_column(heading)
        for heading in ("ours", "plain Celery", "compared", "aim"):
            table.add_column(heading, justify="right")
        table.add_column("met")
        for row in self.rows:
            verdict = {None: "", True: "[green]yes", False: "[red]no"}[row.met]
            compared = f"{_number(row.compared)} {row.compared_as}"
            aim = "" if row.aim is None else str(row.aim)
            table.add_row(row.name, row.unit, _number(row.ours), _number(row.plain), compared, aim, verdict)
        console.print(table)
        for note in self.notes:
            console.print(note, highlight=False, soft_wrap=True)


def _number(value: float) -> str:
    """Return three significant digits, never an exponent."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004  where digits behind the point end
