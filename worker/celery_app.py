"""The Celery app: one Celery task per task of the catalogue, registered when a worker or Flower starts.

Importing this module reads no setting and connects to nothing; both come with the app's configuration, when it is first
needed.
"""

import contextlib
import functools
from typing import Any

import click
from celery import Celery, signals

from ..communicators import Progress
from ..config import broker_url, celery_options, load_settings, set_up_logging
from ..config.errors import OutriderError
from ..tasks import load_catalogue
from .host import ExecutorHost
from .verdict import failed

__all__ = ["app", "celery_name", "executor_host"]

_PREFIX = "outrider."

app = Celery("outrider")


def celery_name(task: str) -> str:
    """Return the name by which Celery and Flower know a task."""
    return _PREFIX + task


def _options() -> dict[str, Any]:
    settings = load_settings()
    return celery_options(settings, broker_url(settings), "outrider.worker.courtesy_backend:CourtesyBackend")


app.add_defaults(_options)


@functools.cache
def executor_host() -> ExecutorHost:
    """Return this process's host of Executors."""
    settings = load_settings()
    return ExecutorHost(settings, load_catalogue(settings.tasks), _tell_progress)


@signals.import_modules.connect(sender=app)
def _register_tasks(**_: Any) -> None:
    from .job_task import JobTask

    for name, task in executor_host().catalogue.items():
        app.register_task(JobTask.of(name, task))


@signals.import_modules.connect(sender=app)
def _extend_flower(**_: Any) -> None:
    context = click.get_current_context(silent=True)
    if context is not None and context.info_name == "flower":
        from .flower_extension import install

        install()


@signals.worker_init.connect
def _prepare_worker(sender: Any, **_: Any) -> None:
    from .celery_internals import check_celery
    from .reaper import ReaperStep  # it needs the app

    check_celery()
    sender.app.steps["consumer"].add(ReaperStep)


@signals.worker_shutting_down.connect
def _drain(**_: Any) -> None:
    """Asked to stop once: let jobs run for a while, then hand them back. Asked twice: hand them back now."""
    executor_host().drain()


@signals.setup_logging.connect
def _set_up_logging(**_: Any) -> None:
    set_up_logging(load_settings().log_level)


@signals.task_unknown.connect
def _close_unknown(name: str, id: str, **_: Any) -> None:  # noqa: A002 - Celery's name
    """A message for a task that this worker does not have: the job must not wait for ever."""
    known = ", ".join(executor_host().catalogue)
    error = f"the worker has no task {name.removeprefix(_PREFIX)!r}; it has {known} (see OUTRIDER_TASKS)"
    with contextlib.suppress(OutriderError):  # no record, or it is closed: nobody waits
        executor_host().close_unclaimed(id, failed("validation", error))


def _tell_progress(job_id: str, progress: Progress) -> None:
    """Tell Flower, by an event that stock monitors pass over: `task-progress` would change the task's state."""
    with app.events.default_dispatcher() as dispatcher:
        dispatcher.send("outrider-progress", uuid=job_id, progress=str(progress).removeprefix("progress: "))
