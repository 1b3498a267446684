"""What became of a job's tasklets, for people: fields, tables, and where files are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click
from rich.text import Text

from ...communicators import TaskletRun, TaskletState
from ...tasklets import (
    FilePart,
    NoticePart,
    ParametersPart,
    Shown,
    SummaryPart,
    TablePart,
    TextPart,
    WarningPart,
    clean,
)
from .output import print_fields, print_heading, print_table, state_text

__all__ = ["print_runs"]

#: Rows of a table, and lines of what was printed, that are shown without --all.
_ROWS_SHOWN = 20
_LINES_SHOWN = 10
_LONGEST_VALUE = 500
_LONGEST_ARGUMENTS = 160

Row = tuple[str, str | Text]


@dataclass(frozen=True)
class _TableBlock:
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    #: What is left out.
    note: str = ""


def print_runs(runs: Sequence[TaskletRun], *, everything: bool) -> None:
    """Print each tasklet under a heading: how it ended, and what it has to show."""
    for run in runs:
        click.echo()
        print_heading(f"{run.place} {run.number}: {run.tasklet}")
        for block in _blocks(run, everything):
            if isinstance(block, _TableBlock):
                print_table(block.columns, block.rows)
                if block.note:
                    click.echo(block.note)
            else:
                print_fields(block)


def _blocks(run: TaskletRun, everything: bool) -> Iterator[list[Row] | _TableBlock]:
    """Yield what is printed of a tasklet: names with values, as many as follow each other, and tables."""
    rows = _end(run, everything)
    for part in run.parts:
        if isinstance(part, TablePart):
            yield rows
            yield _table(part, everything)
            rows = []
        else:
            rows += _part_rows(part, run, everything)
    if rows:
        yield rows


def _end(run: TaskletRun, everything: bool) -> list[Row]:
    state = state_text(run.state)
    if run.state is not TaskletState.SKIPPED:
        state.append(f", {run.elapsed_seconds:.2f} s")
    if not run.ok and not run.required:
        state.append(", not required")
    lines = clean(run.printed).splitlines()
    shown = lines if everything else lines[-_LINES_SHOWN:]
    left_out = [f"({len(lines) - len(shown)} lines; `--all` shows them)"] if len(lines) > len(shown) else []
    return [
        ("state", state),
        ("arguments", _shortened(run.arguments, everything, _LONGEST_ARGUMENTS)),
        ("queue", run.queue),
        ("error", clean(run.error)),
        ("printed", "\n".join([*left_out, *shown])),
    ]


def _part_rows(part: Shown, run: TaskletRun, everything: bool) -> list[Row]:
    return [
        (name, value if isinstance(value, Text) else _shortened(value, everything)) for name, value in _said(part, run)
    ]


def _said(part: Shown, run: TaskletRun) -> Iterator[Row]:
    match part:
        case SummaryPart(values=values):
            yield from ((name, _plain(value)) for name, value in values.items())
        case ParametersPart(values=values):
            yield from ((f"changed {name}", _plain(value)) for name, value in values.items())
        case TextPart(text=text):
            yield "message", text
        case NoticePart(title=title, text=text):
            yield "notice", f"{title}: {text}" if title else text
        case WarningPart(text=text):
            yield "warning", Text(text, style="yellow")
        case FilePart():
            yield _kind(part), Text(_file(part, run))


def _kind(file: FilePart) -> str:
    return "picture" if file.media_type.startswith("image/") else "file"


def _file(file: FilePart, run: TaskletRun) -> str:
    return f"{file.path} (artefact {file.name})" if file.name in run.files else str(file.path)


def _table(part: TablePart, everything: bool) -> _TableBlock:
    rows = part.rows if everything else part.rows[:_ROWS_SHOWN]
    notes = []
    if len(rows) < part.total_rows:
        how = " (`--all` shows more)" if len(rows) < len(part.rows) else ""
        notes.append(f"{len(rows)} of {part.total_rows} rows{how}")
    if len(part.columns) < part.total_columns:
        notes.append(f"{len(part.columns)} of {part.total_columns} columns")
    return _TableBlock(part.columns, [[_plain(cell) for cell in row] for row in rows], ", ".join(notes))


def _plain(value: object) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.6g}"
        case _:
            return str(value)


def _shortened(text: str, everything: bool, length: int = _LONGEST_VALUE) -> str:
    if everything or len(text) <= length:
        return text
    return f"{text[:length]} … ({len(text)} characters; `--all` shows them)"
