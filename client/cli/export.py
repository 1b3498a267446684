"""The command that hands a job on."""

import sys
from pathlib import Path

import click

from ..default import default_client
from .found import found_record
from .output import json_option, print_json

__all__ = ["export"]


@click.command()
@click.argument("job_id")
@click.argument("destination", required=False, type=click.Path(path_type=Path))
@click.option("--no-inputs", is_flag=True, help="Leave the input files where they are.")
@json_option
def export(job_id: str, destination: Path | None, no_inputs: bool, as_json: bool) -> None:
    """Write a folder, or a .tar.gz or .zip, that reproduces a job's run elsewhere; the default is ./TASK-ID/.

    Leaves with 0 only if all of it is as it was recorded.
    """
    exported = default_client().export(found_record(job_id), destination, with_inputs=not no_inputs)
    for problem in exported.problems:
        click.echo(f"outrider: {problem}", err=True)
    if as_json:
        print_json({"destination": str(exported.destination), "problems": list(exported.problems)})
    else:
        click.echo(str(exported.destination))
    sys.exit(1 if exported.problems else 0)
