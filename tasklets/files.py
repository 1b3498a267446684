"""Files put together, placed and checked. Paths are relative to the working directory."""

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from .decorator import tasklet
from .path_arguments import WrittenPath

__all__ = ["checksum", "concat_files", "copy_file", "link_file", "move_file"]

_BLOCK = 2**20


@tasklet
def concat_files(*files: Path, into: WrittenPath = Path("concatenated")) -> Path:
    """Write files one after another into another one, and return that.

    Raises:
        ValueError: when there are no files.
        FileExistsError: when the target is there already.
        OSError: when a file cannot be read or written.
    """
    sources = [Path(file) for file in files]
    if not sources:
        raise ValueError("there are no files to concatenate")
    if os.path.lexists(into):
        raise FileExistsError(f"{str(into)!r} is there already")
    return _make(Path(into), lambda draft: _concatenate(sources, draft))


@tasklet
def copy_file(source: Path, target: WrittenPath, *, overwrite: bool = False) -> Path:
    """Copy a file, with its times and mode, to a path or into a folder, and return where it is.

    Raises:
        FileExistsError: when the target is there already, and may not be overwritten.
        OSError: when a file cannot be read or written.
    """
    place = _place(Path(source), Path(target), overwrite=overwrite)
    return _make(place, lambda draft: shutil.copy2(source, draft))


@tasklet
def move_file(source: WrittenPath, target: WrittenPath, *, overwrite: bool = False) -> Path:
    """Move a file to a path or into a folder, also on another file system, and return where it is.

    Raises:
        FileExistsError: when the target is there already, and may not be overwritten.
        OSError: when a file cannot be read or written.
    """
    place = _place(Path(source), Path(target), overwrite=overwrite)
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.replace(source, place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _make(place, lambda draft: shutil.copy2(source, draft))
        Path(source).unlink()
    return place


@tasklet
def link_file(source: Path, target: WrittenPath, *, overwrite: bool = False) -> Path:
    """Make a symbolic link to a file, at a path or in a folder, and return where it is.

    Raises:
        FileExistsError: when the target is there already, and may not be overwritten.
        FileNotFoundError: when there is no such file.
        OSError: when the link cannot be made.
    """
    place = _place(Path(source), Path(target), overwrite=overwrite)
    return _make(place, lambda draft: draft.symlink_to(os.path.abspath(source)))


@tasklet
def checksum(*files: Path, algorithm: str = "sha256") -> dict[str, str]:
    """Return the digest of each file, in hexadecimal digits, by its path.

    Raises:
        ValueError: when Python does not know the algorithm.
        OSError: when a file cannot be read.
    """
    if algorithm not in hashlib.algorithms_guaranteed or algorithm.startswith("shake"):
        raise ValueError(f"there is no algorithm {algorithm!r}; take sha256, sha512, blake2b or md5")
    return {str(file): _digest(Path(file), algorithm) for file in files}


def _digest(file: Path, algorithm: str) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, algorithm).hexdigest()


def _concatenate(sources: list[Path], target: Path) -> None:
    with target.open("xb") as whole:
        for source in sources:
            with source.open("rb") as part:
                shutil.copyfileobj(part, whole, _BLOCK)


def _place(source: Path, target: Path, *, overwrite: bool) -> Path:
    """Return where a file is to be put: at the target or, if that is a folder, in it."""
    if not source.is_file():
        raise FileNotFoundError(f"{str(source)!r} is no file")
    if target.is_dir():
        target /= source.name
    if os.path.lexists(target) and not overwrite:
        raise FileExistsError(f"{str(target)!r} is there already")
    if target.exists() and target.samefile(source):
        raise FileExistsError(f"{str(target)!r} is {str(source)!r} itself")
    return target


def _make(target: Path, make: Callable[[Path], object]) -> Path:
    """Make a file beside the target and then rename it, so that nobody meets half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{uuid.uuid4().hex}.part")
    try:
        make(draft)
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    return target
