"""Tables are as wide as the terminal, and whole where there is none."""

import io

import pytest
from rich.console import Console

from outrider.client.cli import output

ROW = (
    "3f2a91c0-0000-4000-8000-000000000000",
    "sort_words",
    "failed",
    "3 min ago",
    "cannot read " + "a/long/path/" * 20,
)
COLUMNS = ("ID", "TASK", "STATE", "SUBMITTED", "NOTE")


@pytest.fixture
def terminal(monkeypatch):
    """A terminal of 100 columns."""
    screen = io.StringIO()
    monkeypatch.setattr(output, "Console", lambda: Console(file=screen, force_terminal=True, width=100))
    return screen


def test_a_job_is_one_line_of_a_terminal(terminal):
    output.print_table(COLUMNS, [ROW])
    (line,) = terminal.getvalue().splitlines()[1:]
    assert ROW[0] in line
    assert line.rstrip().endswith("…")


def test_a_note_is_whole_where_no_terminal_is(capsys):
    output.print_table(COLUMNS, [ROW])
    assert ROW[-1] in capsys.readouterr().out
