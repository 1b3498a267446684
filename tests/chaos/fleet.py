"""The workers of the storm: as many as asked for, each dead one replaced by a new one with a new name."""

import os
import signal
import subprocess
import sys
import time

from lab import Lab

__all__ = ["Fleet", "Worker"]

_CONCURRENCY = 4
_STOP_SECONDS = 15.0


class Worker:
    """One worker process, which leads a session with the children of its pool."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", log: str) -> None:
        self.name = name
        self.process = process
        self.stopped = False
        self._log = log

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self.process.poll() is None

    @property
    def ready(self) -> bool:
        """Whether it has begun to take jobs."""
        with open(self._log, errors="replace") as log:
            return " ready." in log.read()

    def signal(self, number: signal.Signals, *, family: bool = False) -> None:
        """Send a signal to the worker, or to it and the children of its pool."""
        self.stopped = number is signal.SIGSTOP
        if family:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)


class Fleet:
    """Keeps a number of workers."""

    def __init__(self, lab: Lab, size: int, pool: str) -> None:
        """Name what is wanted; nothing is started before the first `tend`."""
        self.started = 0
        self._lab = lab
        self._size = size
        self._pool = pool
        self._workers: list[Worker] = []

    @property
    def at_work(self) -> list[Worker]:
        """The workers that take jobs now."""
        return [worker for worker in self._workers if worker.alive and not worker.stopped and worker.ready]

    def tend(self) -> None:
        """Replace the dead."""
        self._workers = [worker for worker in self._workers if worker.alive]
        while len(self._workers) < self._size:
            self._workers.append(self._start())

    def stop(self) -> int:
        """Ask all to end, and end those who do not; return how many did not."""
        for worker in self._workers:
            if worker.alive:
                worker.signal(signal.SIGCONT, family=True)
                worker.signal(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        deaf = 0
        for worker in self._workers:
            try:
                worker.process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                deaf += 1
                worker.signal(signal.SIGKILL, family=True)
                worker.process.wait()
        return deaf

    def _start(self) -> Worker:
        self.started += 1
        name = f"chaos{self.started}@lab"
        words = [sys.executable, "-m", "celery", "-A", "outrider", "worker", "--without-mingle", "--without-gossip"]
        words += [f"--pool={self._pool}", f"--concurrency={_CONCURRENCY}", f"--hostname={name}"]
        log = self._lab.folder / f"{name}.log"
        return Worker(name, self._lab.spawn(words, log), str(log))
