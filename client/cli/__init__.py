"""The command line."""

import os
import sys
from typing import Any

import click

from ...config.errors import OutriderError
from .artifacts import artifacts
from .clean import clean
from .describe import describe, tasks
from .diff import diff
from .drive import drive
from .dry_run import dry_run
from .export import export
from .jobs import logs, result, watch
from .listing import jobs
from .rerun import rerun
from .run import run
from .serve import demo, redis, up, worker
from .show import show
from .status import status
from .steering import cancel, pause, resume, send
from .submitting import submit
from .tasklets import tasklets

__all__ = ["main"]


class _Group(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error of ours is one sentence, not a traceback."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # whoever read us has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except OutriderError as error:
            click.echo(f"outrider: {error}", err=True)
            ctx.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="outrider")
def main() -> None:
    """Run any analysis program as a watched, cancellable, recoverable job.

    Settings are environment variables; see docs/settings.md.
    """
    here = os.getcwd()  # a producer's own modules lie beside them, as for every Celery user
    if here not in sys.path:
        sys.path.insert(0, here)


for _command in (
    tasks,
    describe,
    tasklets,
    submit,
    run,
    dry_run,
    jobs,
    status,
    show,
    watch,
    logs,
    result,
    artifacts,
    diff,
    rerun,
    export,
    cancel,
    pause,
    resume,
    send,
    up,
    drive,
    worker,
    redis,
    clean,
    demo,
):
    main.add_command(_command)
