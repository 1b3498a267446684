"""How the command line prints: tables for people, JSON for programs."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import click
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = [
    "ago_text",
    "as_json",
    "json_option",
    "print_fields",
    "print_heading",
    "print_json",
    "print_sections",
    "print_table",
    "state_text",
]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON in place of a table.")

_COLOURS = {
    "succeeded": "green",
    "failed": "red",
    "crashed": "red",
    "timed_out": "red",
    "lost": "red",
    "cancelled": "yellow",
    "cancelling": "yellow",
    "running": "cyan",
}


#: Columns that other programs cut out.
_WHOLE = ("ID", "TASK", "TASKLET", "STATE")
#: Columns that may be cut to keep a row on one line: `show` has the whole text.
_CUT = ("NOTE",)
_UNFOLDED = 100_000
#: Longer names, such as paths, do not make the others wider.
_NAME_WIDTH = 24
#: All control characters but tab and line feed.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def as_json(value: Any) -> Any:
    """Return models as JSON values, and what holds them likewise."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return value


def print_json(value: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(as_json(value), indent=2, ensure_ascii=False, default=str))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> None:
    """Print rows under their headings, as wide as the terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(Text(column), overflow="fold", no_wrap=column in _WHOLE)
    for row in rows:
        table.add_row(*map(_column_cell, columns, row))
    _print(table)


def _column_cell(column: str, value: str | Text) -> Text:
    cell = _cell(value)
    if column in _CUT:
        cell.no_wrap, cell.overflow = True, "ellipsis"
    return cell


def print_fields(rows: Iterable[tuple[str, str | Text]]) -> None:
    """Print names and values, one pair a line; pairs without a value are left out."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in rows:
        if value:
            table.add_row(_cell(name), _cell(value))
    _print(table)


def print_sections(sections: Mapping[str, Sequence[tuple[str, str | Text]]]) -> None:
    """Print names and values under headings; a section without rows is left out, and names are equally wide in all."""
    sections = {heading: rows for heading, rows in sections.items() if rows}
    width = max((len(name) for rows in sections.values() for name, _ in rows if len(name) <= _NAME_WIDTH), default=0)
    for number, (heading, rows) in enumerate(sections.items()):
        if number:
            click.echo()
        if heading:
            print_heading(heading)
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="bold", min_width=width, overflow="fold")
        table.add_column(overflow="fold")
        for name, value in rows:
            table.add_row(_cell(name), _cell(value))
        _print(table)


def print_heading(heading: str) -> None:
    """Print the name of what follows."""
    _print(Text(heading, style="bold underline"))


def _cell(value: str | Text) -> Text:
    """Return a value as text that does nothing to a terminal: programs and producers have chosen parts of it."""
    text = value if isinstance(value, Text) else Text(value)
    if not _CONTROL.search(text.plain):
        return text
    return Text(_CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text.plain), style=text.style)


def _print(table: Table | Text) -> None:
    """Print as wide as the terminal is; where there is none, without folding and padding."""
    console = Console()
    if console.is_terminal:
        console.print(table)
        return
    wide = Console(width=_UNFOLDED, no_color=True)
    with wide.capture() as captured:
        wide.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def state_text(state: str) -> Text:
    """Return a state in its colour."""
    return Text(state, style=_COLOURS.get(state, ""))


def ago_text(age: timedelta) -> str:
    """Return how long ago something was, in its largest unit."""
    seconds = age.total_seconds()
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{max(seconds, 0):.0f} s ago"
