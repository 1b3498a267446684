"""The files that go along with a notice."""

import mimetypes
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Attachment", "read_attachments"]

_LARGEST = 10 * 1024 * 1024
_LARGEST_TOGETHER = 25 * 1024 * 1024


@dataclass(frozen=True)
class Attachment:
    """A file's name, kind and content."""

    name: str
    kind: str
    content: bytes


def read_attachments(paths: Iterable[Path]) -> tuple[list[Attachment], list[str]]:
    """Return the files that go along, and a sentence for each that does not. Blocks; for a thread."""
    found: list[Attachment] = []
    complaints: list[str] = []
    room = _LARGEST_TOGETHER
    for path in paths:
        try:
            content = _read(path, min(room, _LARGEST))
        except (OSError, ValueError) as error:
            why = (error.strerror if isinstance(error, OSError) else None) or str(error)
            complaints.append(f"{path.name} is not attached: {why}")
            continue
        room -= len(content)
        found.append(Attachment(path.name, mimetypes.guess_type(path.name)[0] or "application/octet-stream", content))
    return found, complaints


def _read(path: Path, most: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a FIFO must not keep us waiting
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is no file")
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it is larger than {most} bytes")
    return content
