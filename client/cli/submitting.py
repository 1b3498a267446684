"""The command that submits."""

from pathlib import Path
from typing import Any

import click

from ..default import default_client
from ..job import Job
from ..submit_options import SubmitOptions
from .following import follow
from .output import json_option, print_json
from .parameters import file_option, parameter_option
from .request import read_request
from .tasklet_options import tasklet_options

__all__ = ["submit"]


@click.command()
@click.argument("task")
@parameter_option
@file_option
@tasklet_options
@click.option("--queue", help="Where the job waits, in place of OUTRIDER_QUEUE.")
@click.option("--watch", "watching", is_flag=True, help="Follow the job; leave with 0 only if it succeeds.")
@click.option("--once", "idempotency_key", metavar="KEY", help="Return the first job submitted with this key again.")
@click.option("--block", "blocking", is_flag=True, help="While the queue is full, wait for a place.")
@json_option
def submit(
    task: str,
    words: tuple[str, ...],
    file: Path | None,
    queue: str | None,
    watching: bool,
    idempotency_key: str | None,
    blocking: bool,
    as_json: bool,
    **tasklets: Any,
) -> None:
    """Hand over a task, or a job file (a YAML file's name), and print the job's id."""
    client = default_client()
    request = read_request(client, task, words, file)
    options = SubmitOptions(idempotency_key, block=blocking, queue=queue, **tasklets)
    described: Any = request.job or request.task
    job: Job[Any] = client.submit(described, request.changes, options)
    if as_json and not watching:
        print_json({"id": job.id})
    elif not as_json:
        click.echo(job.id)
    if watching:
        follow(job, as_json=as_json)
