"""Commands that run things: a worker, a Redis, all of it for one machine, the demonstration."""

import os
import signal
import sys
import threading
from pathlib import Path

import click

from ...config import Settings, broker_url, load_settings, shown
from ...config.errors import OutriderError
from ...tasks import load_catalogue
from ..services import running_services

__all__ = ["demo", "redis", "up", "worker"]


@click.command()
@click.option(
    "--tasks", metavar="SOURCES", help="Modules or YAML files that hold tasks, separated by commas (OUTRIDER_TASKS)."
)
@click.option("-c", "--concurrency", type=click.IntRange(min=1), help="How many jobs to run at once.")
@click.option("--flower-port", default=5555, show_default=True, help="Flower's port on loopback; 0: any free one.")
def up(tasks: str | None, concurrency: int | None, flower_port: int) -> None:
    """Run everything that one machine needs: Redis, a worker and Flower. Ctrl-C stops it."""
    settings = _with_tasks(tasks)
    load_catalogue(settings.tasks, settings.project)  # what cannot be loaded is said here, not in a log
    stop = _stop_on_signals()
    with running_services(settings, concurrency=concurrency, flower_port=flower_port) as services:
        click.echo(f"Redis   {shown(broker_url(settings))}")
        click.echo(f"worker  pid {services.processes['worker'].pid}, log {services.log('worker')}")
        click.echo(f"Flower  {services.flower_url}")
        click.echo(f"jobs    {settings.jobs_directory}\nReady: submit from another terminal. Ctrl-C stops everything.")
        while not stop.wait(1.0):
            if ended := services.first_ended():
                raise OutriderError(f"{ended} has ended; see {services.log(ended)}")
        wait = settings.drain_timeout.total_seconds()
        click.echo(
            f"Stopping: running jobs get {wait:g} s, then they wait for the next worker; Ctrl-C again skips that."
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: services.hurry())


@click.command(context_settings={"ignore_unknown_options": True})
@click.option(
    "--tasks", metavar="SOURCES", help="Modules or YAML files that hold tasks, separated by commas (OUTRIDER_TASKS)."
)
@click.option(
    "-P", "--pool", type=click.Choice(["threads", "prefork", "solo"]), help="Where slots live (OUTRIDER_POOL)."
)
@click.argument("celery_options", nargs=-1, type=click.UNPROCESSED)
def worker(tasks: str | None, pool: str | None, celery_options: tuple[str, ...]) -> None:
    """Run a worker; what follows is passed on to `celery worker`, such as --concurrency=8."""
    if pool is not None:
        os.environ["OUTRIDER_POOL"] = pool
    _with_tasks(tasks)
    command = [sys.executable, "-m", "celery", "-A", "outrider", "worker", *celery_options]
    os.execv(command[0], command)  # noqa: S606  a worker's signals are its own


@click.command()
def redis() -> None:
    """Keep the embedded Redis running in the foreground (a Procfile's `redis` line)."""
    url = broker_url(load_settings())
    click.echo(f"Redis at {shown(url)}; Ctrl-C leaves it.")
    _stop_on_signals().wait()


@click.command()
@click.option("--directory", type=click.Path(path_type=Path), help="Where the frames go; default: .outrider/demo.")
def demo(directory: Path | None) -> None:
    """Run a real analysis on real input, from nothing to a plot (needs `outrider[demo]`)."""
    from ..demo import run_demo

    run_demo(directory)


def _stop_on_signals() -> threading.Event:
    """Return an event that Ctrl-C, TERM or the end of the terminal sets."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _with_tasks(modules: str | None) -> Settings:
    """Return the settings, with the option handed on to child processes by the environment."""
    if modules is not None:
        os.environ["OUTRIDER_TASKS"] = modules
    return load_settings()
