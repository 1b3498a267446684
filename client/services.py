"""A worker and Flower as child processes, for one machine."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..config import Settings, broker_url, project_folder, service_environment
from ..config.errors import OutriderError

__all__ = ["Services", "running_services"]

_START_TIMEOUT_SECONDS = 30.0
#: Beyond what a worker may take to drain and to stop its programs.
_STOP_MARGIN_SECONDS = 15.0


@dataclass(frozen=True)
class Services:
    """What runs, and where to look at it."""

    processes: "dict[str, subprocess.Popen[bytes]]"
    flower_url: str
    logs: Path

    def log(self, name: str) -> Path:
        """Return the log of a service."""
        return self.logs / f"{name}-{os.getpid()}.log"

    def hurry(self) -> None:
        """Ask the worker again to stop: it hands its jobs back at once."""
        self.processes["worker"].send_signal(signal.SIGTERM)

    def first_ended(self) -> str | None:
        """Return the name of a service that has ended by itself, if any has."""
        return next((name for name, process in self.processes.items() if process.poll() is not None), None)


@contextlib.contextmanager
def running_services(settings: Settings, *, concurrency: int | None = None, flower_port: int = 0) -> Iterator[Services]:
    """Start the embedded Redis (if no broker is set), a worker and Flower; stop them at the end, children first.

    Args:
        settings: what the operator decided.
        concurrency: slots of the worker; default: the settings'.
        flower_port: a port on loopback; 0: a free one.

    Raises:
        OutriderError: when one of them does not start in time; its log says why.
    """
    port = _free_port(flower_port)
    broker_url(settings)  # before the children, so that the server outlives them
    logs = project_folder(settings.project) / "logs"
    logs.mkdir(exist_ok=True)
    environment = service_environment(settings)
    patience = (settings.drain_timeout + settings.grace).total_seconds() + _STOP_MARGIN_SECONDS
    celery = [sys.executable, "-m", "celery", "-A", "outrider"]
    worker = [*celery, "worker", "--without-mingle", "--without-gossip", f"--hostname=up-{os.getpid()}@%h"]
    if concurrency:
        worker.append(f"--concurrency={concurrency}")
    words = {"worker": worker, "flower": [*celery, "flower", "--address=127.0.0.1", f"--port={port}"]}
    with contextlib.ExitStack() as stack:
        processes = {
            name: stack.enter_context(_service(command, environment, logs / f"{name}-{os.getpid()}.log", patience))
            for name, command in words.items()
        }
        services = Services(processes, f"http://127.0.0.1:{port}", logs)
        _wait_until_ready(services, port)
        yield services


@contextlib.contextmanager
def _service(
    command: list[str], environment: dict[str, str], log: Path, patience: float
) -> "Iterator[subprocess.Popen[bytes]]":
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop them in order
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_ready(services: Services, flower_port: int) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    worker_log = services.log("worker")
    while not (b" ready." in worker_log.read_bytes() and _listens(flower_port)):
        ended = services.first_ended()
        if ended or time.monotonic() > deadline:
            raise OutriderError(f"{ended or 'a service'} did not start; see {services.log(ended or 'worker')}")
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _free_port(wanted: int) -> int:
    """Return the port if nobody listens there, or for 0 any free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise OutriderError(
                f"port {wanted} is taken, perhaps by another `outrider up`; give --flower-port=0 for a free one"
            ) from error
        port: int = probe.getsockname()[1]
        return port
