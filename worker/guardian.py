"""One small process beside each process that runs programs. When that is gone, however, the guardian kills what it left.

The guardian is a shell that reads a pipe whose other end we hold. The kernel closes our end when we die, even by `kill -9`;
then the shell becomes a Python that sweeps by cookie. Until then it costs a megabyte, and nothing per job.
"""

import logging
import os
import shlex
import subprocess
import sys
from pathlib import Path

from . import sweep

__all__ = ["Guardian"]

logger = logging.getLogger(__name__)

_SWEEP = Path(sweep.__file__)


class Guardian:
    """Watches over this process; `watch` makes sure that it is still there itself."""

    def __init__(self, worker_id: str, folder: Path) -> None:
        """Start a guardian that will sweep for this worker id, and remove a folder of ours."""
        self._worker_id = worker_id
        self._folder = folder
        self._reader, self._writer = os.pipe()
        self._process = self._start()

    def watch(self) -> None:
        """Start another guardian if ours is gone. Cheap; call it from time to time."""
        if self._process.poll() is not None:
            logger.warning("the guardian was gone; here is another", extra={"action": "guardian_restarted"})
            self._process = self._start()

    def close(self) -> None:
        """Have the guardian do its work now, and wait until it has: whatever still carries the cookie is killed. Blocks."""
        os.close(self._writer)
        self._process.wait()
        os.close(self._reader)

    def _start(self) -> "subprocess.Popen[bytes]":
        words = [sys.executable, "-I", "-S", str(_SWEEP), self._worker_id, str(self._folder)]
        # `read` returns at the pipe's end. A session of its own and deaf ears: what stops the worker must not stop this.
        script = f"trap '' TERM INT HUP; read _; exec {shlex.join(words)}"
        return subprocess.Popen(
            ["/bin/sh", "-c", script],
            stdin=self._reader,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.defpath},
            cwd="/",
            start_new_session=True,
        )
