"""Copies of files whose content is looked at on the way; nothing leads out of where it may come from."""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CopiedFile", "copy_file", "copy_input"]

_CHUNK = 2**20


@dataclass(frozen=True)
class CopiedFile:
    """A file as it was copied: its old path, its size in bytes and its sha256 in hex."""

    source: Path
    size: int
    sha256: str


def copy_file(source: Path, target: Path, roots: tuple[Path, ...] | None = None) -> CopiedFile:
    """Copy a file's content and permissions to where nothing is yet.

    Args:
        source: a file, or a link to one.
        target: its folder is made.
        roots: folders in one of which the file must really lie; `None`: anywhere.

    Raises:
        OSError: when it cannot be read, is no file or leads out of all roots, or the target exists.
    """
    real = source.resolve(strict=True)
    if not _is_in(real, roots):
        raise OSError(0, "lies elsewhere, or is a link that leads elsewhere")
    descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would keep us waiting
    with open(descriptor, "rb") as content:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(0, "is no file")
        target.parent.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        with target.open("xb") as copy:
            while chunk := content.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                copy.write(chunk)
        target.chmod(stat.S_IMODE(mode) & 0o777 | stat.S_IRUSR | stat.S_IWUSR)
    return CopiedFile(source, size, digest.hexdigest())


def copy_input(source: Path, target: Path, roots: tuple[Path, ...] | None = None) -> Iterator[CopiedFile | str]:
    """Copy an input, a file or a whole folder; yield each file, and a sentence for each that was left out.

    Args:
        source: the input.
        target: where nothing is yet.
        roots: folders in one of which it must really lie; `None`: anywhere.
    """
    if not source.is_dir() or not _is_in(source.resolve(), roots):
        try:
            yield copy_file(source, target, roots)
        except OSError as error:
            target.unlink(missing_ok=True)
            yield f"the input {source} cannot be copied: {error.strerror or error}"
        return
    target.mkdir(parents=True)
    for folder, folders, names in os.walk(source):
        here = Path(folder)
        folders[:] = [
            name for name in folders if here / name not in target.parents
        ]  # we may be writing below the source
        links = [name for name in folders if (here / name).is_symlink()]
        for name in (*names, *links):
            try:
                yield copy_file(here / name, target / here.relative_to(source) / name, (source,))
            except OSError as error:
                yield f"the input {here / name} cannot be copied: {error.strerror or error}"
        for name in folders:
            if name not in links:
                (target / here.relative_to(source) / name).mkdir()


def _is_in(real: Path, roots: tuple[Path, ...] | None) -> bool:
    return roots is None or any(real.is_relative_to(root.resolve()) for root in roots)
