"""What the command line prints of what programs and producers have chosen."""

import pytest
from rich.text import Text

from outrider.client.cli.output import print_fields, print_sections, print_table

HOSTILE = "a\x1b]0;title\x07\x1b[2J\x9b31m\rb\tc"


@pytest.mark.parametrize(
    "value",
    [HOSTILE, Text(HOSTILE, style="bold"), Text("x").append(HOSTILE, style="red")],
    ids=["text", "bold", "in part"],
)
@pytest.mark.parametrize(
    "show",
    [
        lambda value: print_fields([("name", value)]),
        lambda value: print_table(("A",), [(value,)]),
        lambda value: print_sections({"heading": [("name", value)]}),
    ],
    ids=["fields", "table", "sections"],
)
def test_nothing_that_is_shown_acts_on_the_terminal(show, value, capsys):
    show(value)
    shown = capsys.readouterr().out
    assert not set(shown) & set("\x1b\x07\x9b\r")
    assert r"\x1b]0;title" in shown
    assert r"\x1b[2J\x9b31m" in shown
