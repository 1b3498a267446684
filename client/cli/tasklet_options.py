"""`--before`, `--after` and `--without` on the command line."""

from collections.abc import Callable
from typing import Any

import click

__all__ = ["tasklet_options"]

_WORDS = "'plot x={{ result.radial }} title=LaB6 --when=always --optional'"


def tasklet_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the three options; it gets them as `before`, `after` and `without`."""
    options: list[Callable[[Any], Any]] = [
        click.option("--before", multiple=True, metavar="WORDS", help="A tasklet before the program; again for more."),
        click.option("--after", multiple=True, metavar="WORDS", help=f"A tasklet after it: {_WORDS}."),
        click.option("--without", multiple=True, metavar="NAME", help="Leave a tasklet out; `all`: every one."),
    ]
    for option in reversed(options):
        command = option(command)
    return command
