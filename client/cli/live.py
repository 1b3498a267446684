"""A job on the screen, from its first message to its last."""

import sys
from collections.abc import Iterable
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ... import communicators as said
from ..job import Job

__all__ = ["exit_with", "follow", "show_live"]


def follow(job: Job[Any], *, as_json: bool) -> None:
    """Print a job's messages until it has ended, then leave with 0 if it succeeded and 1 if not."""
    outcome: said.Outcome | None
    if as_json:
        outcome = None
        for message in job.watch():
            stamp = message.stamp.model_dump(mode="json") if message.stamp else {}
            click.echo(said.StateChanged.__pydantic_serializer__.to_json({**stamp, **message.model_dump(mode="json")}))
            outcome = message.outcome if isinstance(message, said.Finished) else None
    else:
        outcome = show_live(job.watch())
    exit_with(outcome)


def exit_with(outcome: said.Outcome | None) -> None:
    """Leave with 0 if the job succeeded and 1 if not."""
    sys.exit(0 if outcome and outcome.state is said.JobState.SUCCEEDED else 1)


def show_live(messages: Iterable[said.Message]) -> said.Outcome | None:
    """Show messages as they come: a progress bar where the screen is one, a line each where it is not."""
    console = Console(highlight=False, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[shown]}"), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        line = bar.add_task("waiting", total=None, shown="")
        for message in messages:
            match message:
                case said.Progress(done=done, total=total) if console.is_terminal:
                    shown = str(message).removeprefix("progress: ")
                    bar.update(line, completed=done, total=total or None, shown=shown)
                case said.Heartbeat() if console.is_terminal:
                    bar.update(line, description=f"running, {message.rss / 2**20:.0f} MiB")
                case said.StateChanged(state=state):
                    bar.update(line, description=str(state))
                    console.print(str(message), markup=False)
                case said.Finished(outcome=outcome):
                    bar.update(line, visible=False)
                    console.print(str(message), markup=False)
                    return outcome
                case _:
                    console.print(str(message), markup=False)
    return None
