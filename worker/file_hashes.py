"""The sha256 of files that many jobs read: each file is read once, for as long as it stays as it is."""

import asyncio
import hashlib
import os
import stat
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

__all__ = ["FileHashes", "FileIdentity", "hash_file"]

_BLOCK = 2**20
#: Files read at a time in one process.
_READERS = 4
#: Younger files may change once more within one tick of their file system's clock, and nobody would see it.
_YOUNG_NS = 2 * 10**9


class FileIdentity(NamedTuple):
    """What tells a file from another and from what it was before: if this stays, so does the content."""

    path: str
    size: int
    modified_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, path: Path | str, facts: os.stat_result) -> Self:
        """Return the identity of the file that `stat` has described."""
        return cls(str(path), facts.st_size, facts.st_mtime_ns, facts.st_ino, facts.st_dev)


@dataclass
class _Reading:
    """A file that is being read, or waits for its turn."""

    task: "asyncio.Task[str]"
    given_up: threading.Event
    wanted: int = 0


class FileHashes:
    """For one process, on one event loop; it remembers the files that were asked for last."""

    def __init__(self, remembered: int = 4096) -> None:
        """Start with none."""
        self._remembered = remembered
        self._known: OrderedDict[FileIdentity, str] = OrderedDict()
        self._readings: dict[FileIdentity, _Reading] = {}
        self._readers = asyncio.Semaphore(_READERS)

    async def sha256(self, file: FileIdentity) -> str:
        """Return the sha256 in hex; empty when the file is another now, or cannot be read.

        Who is cancelled gives up; when nobody wants it any more, reading stops.
        """
        if file in self._known:
            self._known.move_to_end(file)
            return self._known[file]
        if (reading := self._readings.get(file)) is None:
            given_up = threading.Event()
            task = asyncio.create_task(self._read(file, given_up))
            reading = self._readings[file] = _Reading(task, given_up)
        reading.wanted += 1
        try:
            return await asyncio.shield(reading.task)
        finally:
            reading.wanted -= 1
            if not reading.wanted:
                self._end(file, reading)

    def _end(self, file: FileIdentity, reading: _Reading) -> None:
        reading.given_up.set()
        reading.task.cancel()  # of one that is done it changes nothing
        if self._readings.get(file) is reading:
            del self._readings[file]

    async def _read(self, file: FileIdentity, given_up: threading.Event) -> str:
        async with self._readers:
            sha256 = await asyncio.to_thread(hash_file, file, given_up)
        if sha256 and time.time_ns() - file.modified_ns > _YOUNG_NS:
            self._known[file] = sha256
            if len(self._known) > self._remembered:
                self._known.popitem(last=False)
        return sha256


def hash_file(file: FileIdentity, given_up: threading.Event, deadline: float | None = None) -> str:
    """Return a file's sha256 in hex; empty when it is another now, cannot be read, or time is up. Blocks; for a thread.

    Args:
        file: as it was found.
        given_up: set when nobody wants the answer any more.
        deadline: by the monotonic clock; `None`: none.
    """
    try:
        descriptor = os.open(file.path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would keep us waiting
        with open(descriptor, "rb", buffering=0) as opened:
            if not _is(file, descriptor):
                return ""
            digest, buffer = hashlib.sha256(), memoryview(bytearray(min(_BLOCK, file.size + 1)))
            while count := opened.readinto(buffer):
                digest.update(buffer[:count])
                if given_up.is_set() or (deadline is not None and time.monotonic() > deadline):
                    return ""
            return digest.hexdigest() if _is(file, descriptor) else ""
    except OSError:
        return ""


def _is(file: FileIdentity, descriptor: int) -> bool:
    facts = os.fstat(descriptor)
    return stat.S_ISREG(facts.st_mode) and FileIdentity.of(file.path, facts) == file
