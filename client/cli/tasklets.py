"""The command about the tasklets that there are."""

import inspect
from typing import Any

import click

from ...tasklets import Tasklet
from ..default import default_client
from .output import json_option, print_json, print_table
from .tasklet_texts import parameters_text, summary_text

__all__ = ["tasklets"]


@click.command()
@json_option
def tasklets(as_json: bool) -> None:
    """List the tasklets that jobs can run before and after their program."""
    known = default_client().tasklets
    if as_json:
        print_json([_facts(tasklet) for tasklet in known.values()])
    else:
        rows = [(name, parameters_text(tasklet), summary_text(tasklet)) for name, tasklet in known.items()]
        print_table(("TASKLET", "PARAMETERS", ""), rows)


def _facts(tasklet: Tasklet[..., Any]) -> dict[str, Any]:
    limit = tasklet.time_limit
    return {
        "name": tasklet.name,
        "summary": summary_text(tasklet),
        "module": tasklet.__module__,
        "parameters": str(inspect.signature(tasklet.function)),
        "time_limit_seconds": limit.total_seconds() if limit else None,
    }
