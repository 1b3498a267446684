"""The command that runs a job again."""

from typing import Any

import click

from ..default import default_client
from .following import follow
from .found import found_record
from .output import json_option, print_json
from .parameters import parameter_option, values_from_words
from .tasklet_options import tasklet_options

__all__ = ["rerun"]


@click.command()
@click.argument("job_id")
@parameter_option
@click.option("--queue", metavar="NAME", help="In place of the recorded one.")
@tasklet_options
@click.option("--watch", "watching", is_flag=True, help="Follow the new job; leave with 0 only if it succeeds.")
@json_option
def rerun(
    job_id: str,
    words: tuple[str, ...],
    queue: str | None,
    watching: bool,
    as_json: bool,
    **tasklets: Any,
) -> None:
    """Submit a job's recorded parameters again, those of -p in their place, and print the new job's id."""
    client, record = default_client(), found_record(job_id)
    changes = values_from_words(client.catalogue[record.spec.task], words)
    job = client.rerun(record, changes, queue, **tasklets)
    if as_json and not watching:
        print_json({"id": job.id, "rerun_of": record.id})
    elif not as_json:
        click.echo(job.id)
    if watching:
        follow(job, as_json=as_json)
