"""Copies of files whose content is looked at on the way; nothing leads out of where it may come from."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...config import open_regular

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
        raise OSError(errno.EINVAL, "lies elsewhere, or is a link that leads elsewhere")
    with open_regular(real) as content:
        mode = os.fstat(content.fileno()).st_mode
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
        yield _copied_or_why_not(source, target, roots)
        return
    target.mkdir(parents=True)
    for folder, folders, names in os.walk(source):
        here = Path(folder)
        folders[:] = [
            name for name in folders if here / name not in target.parents
        ]  # we may be writing below the source
        links = [name for name in folders if (here / name).is_symlink()]
        for name in (*names, *links):
            yield _copied_or_why_not(here / name, target / here.relative_to(source) / name, (source,))
        for name in folders:
            if name not in links:
                (target / here.relative_to(source) / name).mkdir()


def _copied_or_why_not(source: Path, target: Path, roots: tuple[Path, ...] | None = None) -> CopiedFile | str:
    try:
        return copy_file(source, target, roots)
    except OSError as error:
        target.unlink(missing_ok=True)
        return f"the input {source} cannot be copied: {error.strerror or error}"


def _is_in(real: Path, roots: tuple[Path, ...] | None) -> bool:
    return roots is None or any(real.is_relative_to(root.resolve()) for root in roots)
