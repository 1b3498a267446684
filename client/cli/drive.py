"""The command that serves a driver."""

import asyncio
import sys
from datetime import timedelta

import click

from ...config import load_settings, set_up_logging
from ...tasks import load_catalogue
from ..driver import STRATEGIES, DriveOptions, serve, take_pipes

__all__ = ["drive"]


@click.command()
@click.option(
    "--strategy",
    type=click.Choice(STRATEGIES),
    default="asyncio",
    show_default=True,
    help="Where jobs are carried out: here, in a thread, in processes, or by the cluster's workers.",
)
@click.option("-c", "--concurrency", type=click.IntRange(min=1), help="How many jobs to run at once (not for celery).")
@click.option(
    "--max-queued", type=click.IntRange(min=0), help="How many may wait; 0: any number (OUTRIDER_MAX_QUEUED)."
)
@click.option(
    "--status-interval",
    type=click.FloatRange(min=0.01),
    metavar="SECONDS",
    help="How often the status of running jobs is told (OUTRIDER_HEARTBEAT_INTERVAL).",
)
@click.option(
    "--grace",
    type=click.FloatRange(min=0, max=1e9),
    default=0.0,
    metavar="SECONDS",
    help="How long running jobs may go on after SIGTERM or Ctrl-C; default: they are cancelled at once.",
)
@click.option("--logs", is_flag=True, help="Tell what programs print, too.")
def drive(
    strategy: str,
    concurrency: int | None,
    max_queued: int | None,
    status_interval: float | None,
    grace: float,
    logs: bool,
) -> None:
    """Serve a program in any language: it writes requests to standard input, and reads what becomes of its jobs.

    One line of JSON each; docs/drive.md describes them. Jobs run to their end when the input ends.
    """
    if strategy == "celery" and concurrency:
        raise click.UsageError("the workers of the cluster decide how many jobs run at once; leave out --concurrency")
    pipes = take_pipes()
    set_up_logging("WARNING")  # whoever does not read standard error must not hold us up
    settings = load_settings()
    interval = settings.heartbeat_interval if status_interval is None else timedelta(seconds=status_interval)
    changes = {
        "concurrency": concurrency or settings.concurrency,
        "max_queued": settings.max_queued if max_queued is None else max_queued,
        "heartbeat_interval": min(settings.heartbeat_interval, interval),
    }
    load_catalogue(settings.tasks, settings.project)  # what cannot be loaded is said before the first line
    options = DriveOptions(interval, timedelta(seconds=grace), logs)
    served_well = asyncio.run(serve(pipes, strategy, settings.model_copy(update=changes), options))
    sys.exit(0 if served_well else 1)
