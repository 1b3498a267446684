"""How a value arrives that travelled as a file: unread, until somebody asks for it."""

import pickle
from pathlib import Path
from typing import Any, ClassVar

from pydantic_core import core_schema

from .artifact_store import ArtifactStore
from .reference import Reference

__all__ = ["Opaque", "StoredFile"]


class StoredFile:
    """A file in the artefact store, such as the picture of a figure.

    As an annotation it takes any value: with it, a result's type says that what goes in as a figure comes out as a file.
    """

    #: What its tag is called.
    kind: ClassVar[str] = "file"

    def __init__(self, reference: Reference, store: ArtifactStore, about: str = "") -> None:
        """Name a file; nothing is read yet."""
        self.reference = reference
        #: One line for people.
        self.about = about
        self.store = store

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.about}, {self.reference.key}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoredFile) and (other.kind, other.reference) == (self.kind, self.reference)

    def __hash__(self) -> int:
        return hash(self.reference.sha256)

    def __reduce__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} travels by its reference; its store may hold a secret")

    def read(self) -> bytes:
        """Return the content. Raises `ArtifactUnavailable`, `ArtifactDamaged`."""
        return bytes(self.store.read(self.reference))

    def save(self, path: Path | str) -> None:
        """Write the content to a local file. Raises `ArtifactUnavailable`, `ArtifactDamaged`."""
        self.store.download(self.reference, Path(path))

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        """Take anything: the same annotation stands for what a task returns and for what arrives."""
        return core_schema.any_schema()


class Opaque(StoredFile):
    """An object that only pickle could carry. Outrider never unpickles it by itself."""

    kind: ClassVar[str] = "pickle"

    def unpickle(self) -> Any:
        """Return the object.

        To unpickle is to run what the pickle says: whoever can write to the artefact store and to Redis can run code here.
        Call it only where you trust everybody who can, and where the modules of the object's classes are installed.
        """
        return pickle.loads(self.store.read(self.reference))  # noqa: S301 - the caller asks for it
