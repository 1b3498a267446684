"""Commands that want something of a job: cancel, pause, resume, send."""

import json
import sys

import click

from ..default import default_client
from .output import json_option, print_json

__all__ = ["cancel", "pause", "resume", "send"]


@click.command()
@click.argument("job_id")
@json_option
def cancel(job_id: str, as_json: bool) -> None:
    """Ask for a job's end; its program and all that it started are stopped."""
    state = default_client().job(job_id).cancel()
    if as_json:
        print_json({"id": job_id, "state": state})
    else:
        click.echo(f"{job_id} is {state}" if state.is_terminal else f"{job_id} was {state}; it will be stopped")
    sys.exit(0)


@click.command()
@click.argument("job_id")
def pause(job_id: str) -> None:
    """Have a running program, and all that it started, stand still."""
    default_client().job(job_id).pause()


@click.command()
@click.argument("job_id")
def resume(job_id: str) -> None:
    """Let a paused program go on."""
    default_client().job(job_id).resume()


@click.command()
@click.argument("job_id")
@click.argument("value")
def send(job_id: str, value: str) -> None:
    """Send a value to a running task: JSON, or else plain text."""
    try:
        message = json.loads(value)
    except ValueError:
        message = value
    default_client().job(job_id).send(message)
