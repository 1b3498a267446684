"""What carries out jobs on this machine, as one of the workers of a snapshot."""

import platform
import socket
from importlib.metadata import version

from ...worker import Home
from ..system_detail import WorkerDetail

__all__ = ["worker_detail"]


def worker_detail(home: Home, slots: int) -> WorkerDetail:
    """Return a home as a worker, with all of a strategy's slots if it has no number of its own."""
    return WorkerDetail(
        name=home.name,
        host=socket.gethostname(),
        pid=home.pid,
        heartbeat_age_seconds=home.heartbeat_age_seconds,
        slots=slots if home.slots is None else home.slots,
        running=home.running,
        version=version("outrider"),
        python_version=platform.python_version(),
    )
