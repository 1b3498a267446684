"""Commands about a job: follow it, get its result."""

import click

from ...communicators import JobState, described
from ..default import default_client
from .following import exit_with, follow, leaving
from .output import as_json as to_json
from .output import json_option, print_json

__all__ = ["logs", "result", "watch"]


@click.command()
@click.argument("job_id")
@json_option
def watch(job_id: str, as_json: bool) -> None:
    """Follow a job from its first message to its end; leave with 0 only if it succeeds."""
    follow(default_client().find(job_id), as_json=as_json)


@click.command()
@click.argument("job_id")
@click.option("-f", "--follow", "following", is_flag=True, help="Go on until the job ends.")
@json_option
def logs(job_id: str, following: bool, as_json: bool) -> None:
    """Print the program's newest lines; standard error goes to standard error."""
    for message in default_client().find(job_id).logs(follow=following):
        if as_json:
            click.echo(message.model_dump_json())
            continue
        if message.dropped:
            click.echo(f"({message.dropped} lines left out; all are in the job's directory)", err=True)
        for line in message.lines:
            click.echo(line, err=message.stream == "stderr")


@click.command()
@click.argument("job_id")
@click.option("--timeout", type=float, help="Seconds to wait for the job's end.")
def result(job_id: str, timeout: float | None) -> None:
    """Wait for a job's end, and print its result as JSON; leave with 0 only if it succeeded.

    In place of what is no JSON or large, such as an array, a line says what it is and where.
    """
    with leaving(job_id):
        outcome = default_client().find(job_id).wait(timeout)
    if outcome.state is JobState.SUCCEEDED:
        print_json(to_json(described(outcome.result)))
    else:
        reason = f" ({outcome.reason})" if outcome.reason else ""
        click.echo(f"{outcome.state}{reason}: {outcome.message}", err=True)
    exit_with(outcome)
