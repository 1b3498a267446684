"""Where values are kept that are too large for Redis, or not fit for it: any file system that fsspec knows."""

import contextlib
import hashlib
import os
import re
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...config import shown
from ...config.errors import ArtifactDamaged, ArtifactUnavailable, OutriderError, SettingsError
from .artifact_key import check_key, inside, plain_word
from .reference import Reference

__all__ = ["ArtifactStore", "Chunk"]

Chunk = bytes | bytearray | memoryview

_BLOCK = 4 * 2**20
#: Digits of the content's sha256 that its key begins with.
_DIGITS = 16


class ArtifactStore:
    """Writes and reads artefacts, checked by size and sha256. Every method blocks; use it from threads.

    Errors: `SettingsError` for a URL that cannot be used, `ArtifactUnavailable` for what the store refuses,
    `ArtifactDamaged` for what is not what was stored.
    """

    def __init__(self, url: str) -> None:
        """Remember where; nothing is opened yet. `url` is any that fsspec understands."""
        self._url = url

    def __repr__(self) -> str:
        return f"ArtifactStore({shown(self._url)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArtifactStore) and other._url == self._url

    def __hash__(self) -> int:
        return hash(self._url)

    def put(
        self, folder: str, name: str, chunks: Iterable[Chunk], media_type: str = "application/octet-stream"
    ) -> Reference:
        """Store the chunks, one after another, as one artefact; equal content of one name is stored once.

        It appears under its key when it is whole.
        """
        digest, size, word = hashlib.sha256(), 0, plain_word(name)
        with self._translated(f"{folder}/{word}"):
            system, place = self._place(folder)
            system.makedirs(place, exist_ok=True)
            draft = f"{place}/.{uuid.uuid4().hex}.part"
            try:
                with system.open(draft, "wb") as file:
                    for block in _blocks_of(chunks):
                        digest.update(block)
                        file.write(block)
                        size += len(block)
                name = f"{digest.hexdigest()[:_DIGITS]}-{word}"
                _settle(system, draft, f"{place}/{name}", size)
            except BaseException:
                with contextlib.suppress(Exception):
                    system.rm_file(draft)
                raise
        return Reference(key=f"{folder}/{name}", size=size, sha256=digest.hexdigest(), media_type=media_type)

    def put_file(self, folder: str, name: str, path: Path, media_type: str = "application/octet-stream") -> Reference:
        """Store a copy of a file."""
        with path.open("rb") as file:
            return self.put(folder, name, iter(lambda: file.read(_BLOCK), b""), media_type)

    def read(self, reference: Reference) -> bytearray:
        """Return the content; it takes no more memory than the reference says, and that only if the file is as large."""
        system, path = self._found(reference)
        content = bytearray(reference.size)
        for _ in self._blocks(reference, system, path, memoryview(content)):
            pass
        return content

    def download(self, reference: Reference, target: Path) -> None:
        """Write the content to a local file, which appears when it is whole."""
        system, path = self._found(reference)
        draft = target.with_name(f".{target.name[:_DIGITS]}.{uuid.uuid4().hex}.part")
        try:
            with draft.open("wb") as local:
                for block in self._blocks(reference, system, path, memoryview(bytearray(_BLOCK))):
                    local.write(block)
            os.replace(draft, target)
        finally:
            draft.unlink(missing_ok=True)

    def remove(self, folder: str) -> None:
        """Remove a folder and all that it holds; one that is not there is removed already.

        Raises:
            ArtifactDamaged: when it is a link, or no folder can have this name.
        """
        with self._translated(folder):
            system, place = self._place(folder)
            if place != os.path.join(self._root()[1], folder):
                raise ArtifactDamaged(folder, "it is a link")
            system.invalidate_cache()
            if system.exists(place):
                system.rm(place, recursive=True)

    def _found(self, reference: Reference) -> tuple[Any, str]:
        """Return where the content is, if there is a file of the right size."""
        with self._translated(reference.key):
            system, path = self._place(reference.key)
            facts = system.info(path)
        if facts.get("type") != "file":  # a pipe would keep us waiting
            raise ArtifactDamaged(reference.key, "it is no file")
        if facts.get("size") not in (None, reference.size):
            raise ArtifactDamaged(reference.key, f"it has {facts['size']} bytes instead of {reference.size}")
        return system, path

    def _blocks(self, reference: Reference, system: Any, path: str, buffer: memoryview) -> Iterator[memoryview]:
        with self._translated(reference.key), system.open(path, "rb") as file:
            yield from _checked_blocks(file, reference, buffer)

    def _place(self, key: str) -> tuple[Any, str]:
        """Return the file system and the path of a key there."""
        from fsspec.implementations.local import LocalFileSystem

        check_key(key)
        system, root = self._root()
        return system, inside(root, key) if isinstance(system, LocalFileSystem) else f"{root}/{key}"

    def _root(self) -> tuple[Any, str]:
        """Return the file system and the path of its root there.

        A file system is asked for each time: fsspec keeps one per thread, and some are not made for several.
        """
        from fsspec.core import url_to_fs
        from fsspec.implementations.local import LocalFileSystem

        _check_url(self._url)
        try:
            system, root = url_to_fs(self._url)
        except (ValueError, ImportError) as error:
            raise SettingsError(f"OUTRIDER_ARTIFACT_URL={shown(self._url)!r}: {shown(str(error))}") from error
        return system, os.path.realpath(root) if isinstance(system, LocalFileSystem) else root.rstrip("/")

    @contextlib.contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        """Turn what a file system raises, which may be anything, into an error of ours that names no secret."""
        try:
            yield
        except OutriderError:
            raise
        except FileNotFoundError as error:
            raise ArtifactUnavailable(key, f"there is no such file in {shown(self._url)}") from error
        except Exception as error:
            why = f"{type(error).__name__}: {shown(str(error))} ({shown(self._url)})"
            raise ArtifactUnavailable(key, why) from error


def _check_url(url: str) -> None:
    if "://" not in url or re.match(r"(file|local)://(?!/)", url):
        example = "give a URL, such as file:///shared/artifacts"
        raise SettingsError(f"OUTRIDER_ARTIFACT_URL={shown(url)!r}: {example}")


def _settle(system: Any, draft: str, path: str, size: int) -> None:
    """Give the draft its name. What has the name already has the same content, unless it was left unfinished."""
    from fsspec.implementations.local import LocalFileSystem

    if isinstance(system, LocalFileSystem):
        os.replace(draft, path)
    elif system.exists(path) and system.info(path).get("size") == size:
        system.rm_file(draft)
    else:
        try:
            system.mv(draft, path)
        except (
            NotImplementedError,
            OSError,
        ):  # not every server can rename; nobody knows of the file before it is whole
            _copy(system, draft, path)
            system.rm_file(draft)


def _copy(system: Any, source: str, target: str) -> None:
    with system.open(source, "rb") as file, system.open(target, "wb") as copy:
        while block := file.read(_BLOCK):
            copy.write(block)


def _blocks_of(chunks: Iterable[Chunk]) -> Iterator[memoryview]:
    for chunk in chunks:
        view = memoryview(chunk).cast("B")
        for start in range(0, len(view), _BLOCK):
            yield view[start : start + _BLOCK]


def _checked_blocks(file: Any, reference: Reference, buffer: memoryview) -> Iterator[memoryview]:
    """Read the whole file into the buffer, and yield each block of it; a small buffer is filled again and again.

    Raises:
        ArtifactDamaged: after the last block, when the content is not what the reference says.
    """
    digest, done = hashlib.sha256(), 0
    while done < reference.size:
        start = done % len(buffer)
        room = buffer[start : start + min(_BLOCK, reference.size - done)]
        block = room[: _read_into(file, room)]
        if not block:
            raise ArtifactDamaged(reference.key, f"it ends after {done} of {reference.size} bytes")
        digest.update(block)
        done += len(block)
        yield block
    if file.read(1) or digest.hexdigest() != reference.sha256:
        raise ArtifactDamaged(reference.key, "its sha256 is another")


def _read_into(file: Any, room: memoryview) -> int:
    if hasattr(file, "readinto"):
        return int(file.readinto(room))
    content = file.read(len(room))
    room[: len(content)] = content
    return len(content)
