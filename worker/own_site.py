"""The site of a worker process, as its settings describe it."""

import os
from pathlib import Path

from ..communicators import ArtifactStore
from ..config import Settings, program_environment
from ..tasklets import Tasklets
from .launch_wrapper import LaunchWrappers
from .process_table import ProcessTable
from .sinks import Sinks, configured_sinks
from .site import Site
from .sweeper import Sweeper
from .tasklet_pool import TaskletPool
from .tasklet_site import Announce, SendTasklet, TaskletSite

__all__ = ["site_of"]


def site_of(
    settings: Settings,
    worker_id: str,
    sockets: Path,
    tasklets: Tasklets,
    announce: Announce,
    send: SendTasklet | None,
) -> Site:
    """Return what all Executors of this process share; call it on the loop that they run on."""
    environment, sweeper = program_environment(), Sweeper(worker_id)
    processors = os.cpu_count() or 1
    most = min(settings.concurrency or processors, 2 * processors)  # tasklets are short; others wait for their turn
    pool = TaskletPool(settings.tasks, environment, worker_id, sweeper, size=max(2, most))
    return Site(
        worker_id=worker_id,
        jobs_directory=settings.jobs_directory,
        environment=environment,
        grace=settings.grace,
        heartbeat_interval=settings.heartbeat_interval,
        hash_inputs=settings.hash_inputs,
        sockets=sockets,
        processes=ProcessTable(worker_id),
        sweeper=sweeper,
        store=ArtifactStore(settings.artifact_store_url),
        inline_limit=settings.inline_limit,
        input_roots=settings.input_roots,
        output_roots=settings.output_roots,
        keep_work=settings.keep_work,
        launch=LaunchWrappers(settings.launch),
        secrets=settings.secrets,
        modules_init=settings.modules_init,
        tasklets=TaskletSite(pool, tasklets, Sinks(configured_sinks(settings)), announce, send),
    )
