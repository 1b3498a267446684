"""Where and how the Executors of one process carry out jobs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from ..communicators import ArtifactStore
from .file_hashes import FileHashes
from .launch_wrapper import LaunchWrappers
from .process_table import ProcessTable
from .sweeper import Sweeper
from .tasklet_site import TaskletSite

__all__ = ["Site"]


@dataclass(frozen=True)
class Site:
    """What a worker process's Executors share. Make it on the loop that they run on."""

    #: Names this process among all that ever were; it is the value of the worker's cookie.
    worker_id: str
    jobs_directory: Path
    #: The variables that every program gets.
    environment: Mapping[str, str]
    grace: timedelta
    heartbeat_interval: timedelta
    hash_inputs: bool
    #: The folder of the programs' sockets.
    sockets: Path
    processes: ProcessTable
    sweeper: Sweeper
    #: Where results go that are no JSON or too large for the ledger, and from how many bytes on.
    store: ArtifactStore
    inline_limit: int
    #: Folders that inputs must lie in, if there are any, and that outputs may be placed in; without links.
    input_roots: tuple[Path, ...] = ()
    output_roots: tuple[Path, ...] = ()
    #: Which working folders outlive their job: `always`, `unsuccessful` or `never`.
    keep_work: str = "always"
    hashes: FileHashes = field(default_factory=FileHashes)
    #: What starts the programs of which tasks.
    launch: LaunchWrappers = field(default_factory=LaunchWrappers)
    #: The folder of the secrets, and what defines the shell's `module`.
    secrets: Path | None = None
    modules_init: Path | None = None
    #: What tasklets need; without it, jobs that have some fail.
    tasklets: TaskletSite | None = None
