"""A command that follows a job and leaves with its end."""

import contextlib
import json
import sys
from collections.abc import Iterator
from typing import Any

import click
from pydantic_core import to_jsonable_python

from ...communicators import Finished, JobState, Message, Outcome
from ..job import Job
from ..live import show_messages

__all__ = ["INTERRUPTED", "exit_with", "follow", "leaving", "print_message"]

#: What a command leaves with that was ended by Ctrl-C.
INTERRUPTED = 130


def follow(job: Job[Any], *, as_json: bool) -> None:
    """Print a job's messages until it has ended, then leave with 0 if it succeeded and 1 if not."""
    with leaving(job.id):
        if not as_json:
            exit_with(show_messages(job.watch()))
        for message in job.watch():
            print_message(message)
            if isinstance(message, Finished):
                exit_with(message.outcome)


def print_message(message: Message) -> None:
    """Print a message as a line of JSON."""
    stamp = message.stamp.model_dump(mode="json") if message.stamp else {}
    said = to_jsonable_python(message.model_dump(), fallback=repr, bytes_mode="base64", inf_nan_mode="constants")
    click.echo(json.dumps({**stamp, **said}))


@contextlib.contextmanager
def leaving(job_id: str) -> Iterator[None]:
    """Say, when somebody leaves by Ctrl-C, what becomes of the job."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(
            f"\nThe job goes on: `outrider watch {job_id}` follows it, `outrider cancel {job_id}` stops it.", err=True
        )
        sys.exit(INTERRUPTED)


def exit_with(outcome: Outcome | None) -> None:
    """Leave with 0 if the job succeeded and 1 if not."""
    sys.exit(0 if outcome and outcome.state is JobState.SUCCEEDED else 1)
