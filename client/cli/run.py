"""The command that runs a task here, without a broker."""

import asyncio
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ...communicators import Finished, Outcome
from ..coordinator import LOCAL_STRATEGIES, CoordinatedJob, Coordinator
from ..default import default_client
from ..live import show_messages_async
from .following import INTERRUPTED, exit_with, print_message
from .output import json_option
from .parameters import file_option, parameter_option
from .request import Request, read_request
from .tasklet_options import tasklet_options

__all__ = ["run"]


@click.command()
@click.argument("task")
@parameter_option
@file_option
@tasklet_options
@click.option(
    "--strategy",
    type=click.Choice(list(LOCAL_STRATEGIES)),
    default="asyncio",
    show_default=True,
    help="Where the Executor lives.",
)
@json_option
def run(task: str, words: tuple[str, ...], file: Path | None, strategy: str, as_json: bool, **tasklets: Any) -> None:
    """Run a task, or a job file, here and now, without Redis or a worker; leave with 0 only if it succeeds.

    What is shown and recorded is what `submit --watch` shows and records. Ctrl-C cancels the job.
    """
    request = read_request(default_client(), task, words, file)
    outcome, interrupted = asyncio.run(_carry_out(request, strategy, tasklets, as_json=as_json))
    if interrupted:
        sys.exit(INTERRUPTED)
    exit_with(outcome)


async def _carry_out(
    request: Request, mode: str, options: Mapping[str, Any], *, as_json: bool
) -> tuple[Outcome | None, bool]:
    """Return how the job ended, and whether somebody has interrupted it."""
    interrupted = asyncio.Event()
    async with Coordinator({mode: LOCAL_STRATEGIES[mode](concurrency=1)}) as coordinator:
        job = await coordinator.submit(request.job or request.task, mode, request.changes or None, **options)
        cancelling = asyncio.create_task(_cancel_when(interrupted, job))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
        try:
            outcome = await _follow(job, as_json=as_json)
        finally:
            cancelling.cancel()
    return outcome, interrupted.is_set()


async def _cancel_when(interrupted: asyncio.Event, job: CoordinatedJob[Any]) -> None:
    await interrupted.wait()
    await job.cancel()


async def _follow(job: CoordinatedJob[Any], *, as_json: bool) -> Outcome | None:
    if not as_json:
        click.echo(job.id)
        return await show_messages_async(job.watch())
    async for message in job.watch():
        print_message(message)
        if isinstance(message, Finished):
            return message.outcome
    return None
