"""Where the bytes of a stream are kept as they came."""

import logging
import os
from pathlib import Path

from .fresh_file import fresh_file

__all__ = ["LogFile"]

logger = logging.getLogger(__name__)


class LogFile:
    """A file that takes bytes, until the disk is full, say: the program goes on, and its newest lines are still relayed."""

    def __init__(self, path: Path) -> None:
        """Make the file; what has its name goes away."""
        self._path = path
        self._file: int | None = fresh_file(path, 0o640)

    def write(self, data: memoryview) -> None:
        """Append bytes. Never raises: a file that cannot be written is given up, and the worker's log says so."""
        if self._file is None:
            return
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError:
            logger.exception("cannot write %s any more", self._path, extra={"action": "log_file_lost"})
            self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
