"""Notices as lines of JSON in a file."""

import errno
import os
import stat
from pathlib import Path

from pydantic_core import to_json

from .lone_thread import LoneThread
from .notice import Notice
from .sink import SinkError

__all__ = ["NoticeFile"]


class NoticeFile:
    """Appends each notice as one line; several workers may share the file."""

    def __init__(self, path: Path) -> None:
        """Append to a file; its folder is there already."""
        self._path = path
        self.name = f"the file {path}"
        self._thread = LoneThread("outrider-notices")  # a file system may hang

    async def deliver(self, notice: Notice) -> None:
        """Append a notice.

        Raises:
            OSError, SinkError: when it cannot be written.
        """
        await self._thread.run(lambda: self._append(notice))

    def _append(self, notice: Notice) -> None:
        line = to_json(notice.model_dump(mode="json"), inf_nan_mode="null") + b"\n"
        # What is no file must not keep us waiting.
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
        descriptor = os.open(self._path, flags, 0o640)
        try:
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                raise SinkError("it is no file")
            if _is_cut(descriptor):
                line = b"\n" + line
            if os.write(descriptor, line) < len(line):  # in one piece, so lines of others are not mixed in
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)


def _is_cut(descriptor: int) -> bool:
    """Whether the last line has no end: the disk was full, say."""
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
