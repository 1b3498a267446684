"""Commands that want something of a job: cancel, pause, resume, send."""

import json
import sys
from typing import Any

import click

from ...communicators import JobState
from ..default import default_client
from ..job import Job
from .output import json_option, print_json

__all__ = ["cancel", "pause", "resume", "send"]


@click.command()
@click.argument("job_id")
@json_option
def cancel(job_id: str, as_json: bool) -> None:
    """Ask for a job's end; its program and all that it started are stopped."""
    job = default_client().find(job_id)
    state = job.cancel()
    if as_json:
        print_json({"id": job.id, "state": state})
    else:
        click.echo(f"{job.id} is {state}" if state.is_terminal else f"{job.id} was {state}; it will be stopped")
    sys.exit(0)


@click.command()
@click.argument("job_id")
@json_option
def pause(job_id: str, as_json: bool) -> None:
    """Have a running program, and all that it started, stand still."""
    job = default_client().find(job_id)
    _answer(job, job.pause(), as_json=as_json)


@click.command()
@click.argument("job_id")
@json_option
def resume(job_id: str, as_json: bool) -> None:
    """Let a paused program go on."""
    job = default_client().find(job_id)
    _answer(job, job.resume(), as_json=as_json)


@click.command()
@click.argument("job_id")
@click.argument("value")
@json_option
def send(job_id: str, value: str, as_json: bool) -> None:
    """Send a value to a running task: JSON, or else plain text."""
    try:
        message = json.loads(value)
    except ValueError:
        message = value
    job = default_client().find(job_id)
    _answer(job, job.send(message), as_json=as_json)


def _answer(job: Job[Any], state: JobState, *, as_json: bool) -> None:
    """Say, to programs, in which state the job was found."""
    if as_json:
        print_json({"id": job.id, "state": state})
