"""Files put where they belong, by no way that a link could bend.

Each folder below a root is opened from the one above it and never through a link, so what is swapped in meanwhile, by a
program that still runs somewhere, stops us and leads nowhere.
"""

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

__all__ = ["link_file", "make_symlink", "move_file", "opened_folder", "write_file"]

_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC  # so made, it is no link's end


@contextlib.contextmanager
def opened_folder(root: Path, folder: Path) -> Iterator[int]:
    """Open a folder below a root, and make what is missing on the way; links are followed on the way to the root alone.

    Raises:
        OSError: when a link or a file is in the way, or the system refuses.
    """
    with contextlib.ExitStack() as opened:
        descriptor = os.open(root, _FOLDER & ~os.O_NOFOLLOW)
        opened.callback(os.close, descriptor)
        for name in folder.relative_to(root).parts:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=descriptor)
            descriptor = _inner_folder(name, descriptor, folder)
            opened.callback(os.close, descriptor)
        yield descriptor


def write_file(name: str, folder: int, content: bytes) -> None:
    """Write a file into an opened folder; what has its name there, be it a link, is replaced."""
    with _draft(name, folder, 0o666) as descriptor, open(descriptor, "wb") as file:
        file.write(content)


def move_file(source: Path, name: str, folder: int) -> None:
    """Move a file into an opened folder, on whatever device; what has its name there, be it a link, is replaced."""
    try:
        os.replace(source, name, dst_dir_fd=folder)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(source, name, folder)
        source.unlink()


def link_file(source: Path, name: str, folder: int) -> None:
    """Give a file another name in an opened folder, or on another device make a copy of it."""
    draft = _draft_name()
    try:
        os.link(source, draft, dst_dir_fd=folder)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(source, name, folder)
        return
    os.replace(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    with contextlib.suppress(FileNotFoundError):  # when both were one file already, nothing was replaced: rename(2)
        os.unlink(draft, dir_fd=folder)


def make_symlink(target: Path, name: str, folder: int) -> None:
    """Make a symbolic link in an opened folder, unless something has its name there."""
    with contextlib.suppress(FileExistsError):
        os.symlink(target, name, dir_fd=folder)


def _copy(source: Path, name: str, folder: int) -> None:
    with source.open("rb") as original, _draft(name, folder, 0o600) as descriptor, open(descriptor, "wb") as copy:
        shutil.copyfileobj(original, copy, 1024 * 1024)
        copy.flush()
        os.fchmod(descriptor, os.fstat(original.fileno()).st_mode & 0o777)
        os.fsync(descriptor)  # the original goes away


@contextlib.contextmanager
def _draft(name: str, folder: int, mode: int) -> Iterator[int]:
    """Open a file of a name that nobody knows; it gets its own when it has been written, or goes away."""
    draft = _draft_name()
    descriptor = os.open(draft, _NEW_FILE, mode, dir_fd=folder)
    try:
        yield descriptor
        os.replace(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft, dir_fd=folder)
        raise


def _draft_name() -> str:
    return f".outrider-{uuid.uuid4().hex}.part"


def _inner_folder(name: str, outer: int, folder: Path) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=outer)
    except NotADirectoryError as error:
        what = "a link or a file is where a folder should be"
        raise NotADirectoryError(error.errno, what, f"{folder} ({name})") from None
