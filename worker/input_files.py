"""The input files of an attempt, as they were before its program started."""

import os
import stat
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from ..communicators import InputFile
from .file_hashes import FileHashes, FileIdentity

__all__ = ["InputFiles"]

#: So many go into the record, which must not grow with their number.
_RECORDED = 500


class InputFiles:
    """What the record says of them. What is no file, such as a folder, is left out."""

    def __init__(self, paths: Iterable[Path], directory: Path) -> None:
        """Look at them, named from a directory. Blocks."""
        unique = list(dict.fromkeys(str(directory / path) for path in paths))
        #: How many are not recorded.
        self.left_out = max(len(unique) - _RECORDED, 0)
        looks = {path: _look(path) for path in unique[:_RECORDED]}
        self._files = {path: file for path, file in looks.items() if file is not None}
        self._sha256: dict[str, str] = {}

    async def hash(self, hashes: FileHashes) -> None:
        """Have them read, one after another; cancel it when the time is up, and what is known stays known."""
        for path, file in self._files.items():
            self._sha256[path] = await hashes.sha256(file)

    def forget_changed(self) -> None:
        """Forget the sha256 of those that were changed since: nobody knows what the program has read. Blocks."""
        self._sha256 = {path: sha256 for path, sha256 in self._sha256.items() if _look(path) == self._files[path]}

    def forget_hashes(self) -> None:
        """Forget all: it is not known whether they were changed."""
        self._sha256 = {}

    @property
    def any_hashed(self) -> bool:
        """Whether a sha256 is known."""
        return any(self._sha256.values())

    def recorded(self) -> dict[str, InputFile]:
        """Return them as the record has them, by path."""
        return {
            path: InputFile(
                size=file.size,
                modified=datetime.fromtimestamp(file.modified_ns / 1e9, UTC),
                sha256=self._sha256.get(path, ""),
            )
            for path, file in self._files.items()
        }


def _look(path: str) -> FileIdentity | None:
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return FileIdentity.of(path, facts) if stat.S_ISREG(facts.st_mode) else None
