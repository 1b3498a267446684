"""An attempt's objects and files, on their way to where everybody can have them."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..communicators import Artifact, pack, unpack
from .job_directory import JobDirectory
from .site import Site

__all__ = ["Abandoned", "Keeper"]

_BLOCK = 1024 * 1024


class Abandoned(Exception):
    """The attempt is to end now: nothing more is kept."""


class Keeper:
    """Makes of an attempt's objects and files what everybody can have. Blocks; for a thread."""

    def __init__(self, site: Site, directory: JobDirectory) -> None:
        """Keep what comes from the attempt in this directory."""
        self._site = site
        self._directory = directory
        self._abandoned = threading.Event()

    def abandon(self) -> None:
        """Keep nothing more, not even what is under way: the attempt is to end now."""
        self._abandoned.set()

    def pack(self, value: Any) -> Any:
        """Return a value as it can travel.

        Raises:
            CannotPack, ArtifactError: when it cannot.
        """
        self._check_wanted()
        return pack(value, self._site.store, self._directory.artifacts, self._site.inline_limit)

    def unpack(self, value: Any) -> Any:
        """Return a value that has travelled."""
        return unpack(value, self._site.store)

    def keep(self, artifact: Artifact) -> Artifact:
        """Keep a file of the attempt's.

        Raises:
            ValueError: when it lies elsewhere.
        """
        self._check_wanted()
        path = (self._directory.work / (artifact.path or artifact.name)).resolve()
        if not path.is_relative_to(self._directory.attempt.resolve()) or not path.is_file():
            raise ValueError(f"{artifact.path or artifact.name} is no file in the job's working directory")
        reference = self._site.store.put(self._directory.artifacts, artifact.name, self._blocks(path))
        if path.parent == self._directory.copies.resolve():
            path.unlink()
        return artifact.model_copy(update={"path": None, "reference": reference})

    def _blocks(self, path: Path) -> Iterator[bytes]:
        """Yield the content as it is now: a file that goes on to grow has an end."""
        with path.open("rb") as file:
            left = os.fstat(file.fileno()).st_size
            while left and (block := file.read(min(_BLOCK, left))):
                self._check_wanted()
                left -= len(block)
                yield block

    def _check_wanted(self) -> None:
        if self._abandoned.is_set():
            raise Abandoned("the attempt was stopped")
