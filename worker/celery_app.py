"""The Celery app: one Celery task per task of the catalogue, registered when a worker or Flower starts.

Importing this module reads no setting and connects to nothing; both come with the app's configuration, when it is first
needed.
"""

import contextlib
import functools
import os
import signal
import threading
from typing import Any

import click
from celery import Celery, signals

from ..communicators import Progress
from ..config import broker_url, celery_options, load_settings, runtime_directory, set_up_logging
from ..config.errors import OutriderError
from ..tasks import load_catalogue
from .host import ExecutorHost
from .tasklet_call import TaskletAnswer
from .tasklet_events import TaskletEvents
from .tasklet_queues import TaskletQueues
from .tasklet_site import SentTasklet
from .verdict import failed

__all__ = ["app", "celery_name", "executor_host"]

_PREFIX = "outrider."
#: How long the end of a process waits until monitors have been told.
_FLUSH_SECONDS = 2.0

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
    catalogue = load_catalogue(settings.tasks, settings.project)
    return ExecutorHost(settings, catalogue, _tell_progress, _tasklet_events().put, _send_tasklet)


@signals.import_modules.connect(sender=app)
def _register_tasks(**_: Any) -> None:
    from .job_task import JobTask
    from .tasklet_task import tasklet_task

    for name, task in executor_host().catalogue.items():
        app.register_task(JobTask.of(name, task))
    for tasklet in executor_host().tasklets.values():
        app.register_task(tasklet_task(tasklet))


@signals.import_modules.connect(sender=app)
def _extend_flower(**_: Any) -> None:
    context = click.get_current_context(silent=True)
    if context is not None and context.info_name == "flower":
        from .flower_extension import install

        install()


@signals.worker_init.connect
def _prepare_worker(sender: Any, **_: Any) -> None:
    from . import revocation  # noqa: F401 - a control command registers itself
    from .broker_channel import use_job_channel
    from .celery_internals import check_celery
    from .presence import PresenceStep  # these need the app
    from .reaper import ReaperStep
    from .sinks import configured_sinks

    try:
        check_celery()
        runtime_directory(load_settings().project)
        configured_sinks(load_settings())
    except OutriderError as error:  # Celery would log it and go on
        raise SystemExit(f"this worker cannot run jobs: {error}") from error
    use_job_channel()
    sender.app.steps["consumer"].update((ReaperStep, PresenceStep))


@signals.worker_shutting_down.connect
def _drain(**_: Any) -> None:
    """Asked to stop once: let jobs run for a while, then hand them back. Asked twice: hand them back now."""
    executor_host().drain()


@signals.worker_shutdown.connect
@signals.worker_process_shutdown.connect
def _close(**_: Any) -> None:
    executor_host().close()
    _tasklet_events().flush(_FLUSH_SECONDS)


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


@signals.task_rejected.connect
def _close_rejected(message: Any, exc: BaseException | None, **_: Any) -> None:
    """A message that was refused: if a job waits for it, it must not wait for ever."""
    job_id = message.headers.get("id") if isinstance(message.headers, dict) else None
    if isinstance(job_id, str):
        with contextlib.suppress(OutriderError):
            executor_host().close_unclaimed(job_id, failed("validation", f"its message was refused: {exc}"))


@signals.worker_init.connect
@signals.worker_process_init.connect
def _collect_children(**_: Any) -> None:
    """Whoever started us may ignore SIGCHLD; then the kernel would collect our programs before us."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


@signals.worker_process_init.connect
def _note_pool_child(**_: Any) -> None:
    """In a child of the `prefork` pool: be ready before each job for a TERM to the whole process group.

    Not now: the pool sets its own handlers after this.
    """
    signals.task_prerun.connect(_outlive_the_group)


def _outlive_the_group(**_: Any) -> None:
    signal.signal(signal.SIGTERM, _leave_when_idle)


def _leave_when_idle(*_: Any) -> None:
    """Stay while there is a job: the parent, which got the same TERM, lets it end or hands it back."""
    if not executor_host().is_busy:
        raise SystemExit
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()


def _tell_progress(job_id: str, progress: Progress) -> None:
    """Tell Flower, by an event that stock monitors pass over: `task-progress` would change the task's state."""
    with app.events.default_dispatcher() as dispatcher:
        dispatcher.send("outrider-progress", uuid=job_id, progress=str(progress).removeprefix("progress: "))


@functools.cache
def _tasklet_events() -> TaskletEvents:
    return TaskletEvents(app)


@functools.cache
def _tasklet_queues() -> TaskletQueues:
    return TaskletQueues(app)


async def _send_tasklet(sent: SentTasklet) -> TaskletAnswer:
    return await _tasklet_queues().send(sent)
