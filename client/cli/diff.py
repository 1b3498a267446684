"""The command that compares two jobs."""

import dataclasses
import json
import re
import sys
from itertools import groupby
from typing import Any

import click
from rich.text import Text

from ...communicators import JobRecord
from ...config.errors import OutriderError
from ..comparison import Difference, compare
from .found import found_record
from .output import json_option, print_json, print_table

__all__ = ["diff"]

#: As diff(1) leaves.
_SAME, _DIFFERENT, _TROUBLE = 0, 1, 2
#: Differences of a section that people are shown.
_ROWS_SHOWN = 20
_LONGEST = 200
_SHA256 = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


@click.command()
@click.argument("job_a")
@click.argument("job_b")
@json_option
def diff(job_a: str, job_b: str, as_json: bool) -> None:
    """Show what differs between two jobs.

    Leaves with 0 if nothing does that decides the result, with 1 if something does, and with 2 if they cannot be compared.
    Time, CPU and memory, hosts, and inputs that were only moved are shown and do not count.
    """
    try:
        a, b = found_record(job_a), found_record(job_b)
    except OutriderError as error:
        click.echo(f"outrider: {error}", err=True)
        sys.exit(_TROUBLE)
    found = compare(a, b)
    different = any(difference.counts for difference in found)
    if as_json:
        differences = [dataclasses.asdict(difference) for difference in found]
        print_json({"a": a.id, "b": b.id, "different": different, "differences": differences})
    else:
        _print(a, b, found)
        if not different:
            click.echo("nothing differs that decides the result", err=True)
    sys.exit(_DIFFERENT if different else _SAME)


def _print(a: JobRecord, b: JobRecord, found: list[Difference]) -> None:
    rows: list[tuple[str | Text, str | Text, str | Text]] = []
    for section, grouped in groupby(found, key=lambda difference: difference.section):
        differences = list(grouped)
        rows.append((Text(section, style="bold underline"), "", ""))
        rows += [_row(difference) for difference in differences[:_ROWS_SHOWN]]
        if len(differences) > _ROWS_SHOWN:
            rows.append((f"  … and {len(differences) - _ROWS_SHOWN} more (`--json` has all)", "", ""))
    print_table(("", a.id, b.id), rows)


def _row(difference: Difference) -> tuple[Text, Text, Text]:
    style = "" if difference.counts else "dim"
    note = f"  ({difference.note})" if difference.note else ""
    cells = (f"  {difference.name}", _shown(difference.a), f"{_shown(difference.b)}{note}")
    name, left, right = (Text(cell, style=style) for cell in cells)
    return name, left, right


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = _SHA256.sub(r"\1…", text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} … ({len(text)} characters)"
