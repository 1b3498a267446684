"""What is not JSON and travels nevertheless. A new kind is a row of `KINDS`; the first that knows a value carries it."""

import io
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ...config.errors import CannotPack
from .artifact_store import Chunk
from .npy import array_chunks, array_from, array_size, describe_array, is_array
from .stored_file import Opaque, StoredFile

__all__ = ["KINDS", "LeafKind", "belongs_to", "type_name"]

_BLOCK = 4 * 2**20


@dataclass(frozen=True)
class LeafKind:
    """One kind of value: how to know it, how to write it, and what people read in its place."""

    #: In the tag; what arrives is decided by it.
    name: str
    file_name: str
    media_type: str
    knows: Callable[[Any], bool]
    chunks: Callable[[Any], Iterable[Chunk]]
    about: Callable[[Any], str]
    #: How many bytes `chunks` yields; without it, the value always travels by reference.
    size: Callable[[Any], int] | None = None
    #: What makes the value of its bytes; without it, they wait in an object of `arrives` until somebody asks for them.
    restore: Callable[[bytearray], Any] | None = None
    arrives: type[StoredFile] = StoredFile


def belongs_to(value: Any, module: str, name: str) -> bool:
    """Say whether the value is of the class; its module is not imported for that."""
    return any(base.__module__ == module and base.__name__ == name for base in type(value).__mro__)


def type_name(value: Any) -> str:
    """Return the name of the value's class, with its module."""
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


def _as_it_is(content: bytearray) -> bytearray:
    return content


def _bytes(value: Any) -> Iterable[Chunk]:
    return [value.tobytes() if isinstance(value, memoryview) else value]


def _size(value: Any) -> int:
    return memoryview(value).nbytes


def _describe_bytes(value: Any) -> str:
    return f"{_size(value)} bytes"


def _is_figure(value: Any) -> bool:
    return belongs_to(value, "matplotlib.figure", "Figure")


def _picture(figure: Any) -> Iterable[Chunk]:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return [file.getbuffer()]


def _describe_pickle(value: Any) -> str:
    return f"pickle of {type_name(value)}"


def _pickled(value: Any) -> Iterator[Chunk]:
    with tempfile.TemporaryFile() as file:
        try:
            pickle.dump(value, file, protocol=5)
        except Exception as error:
            raise CannotPack(type_name(value), f"{type(error).__name__}: {error}") from error
        file.seek(0)
        while block := file.read(_BLOCK):
            yield block


_BYTES = "application/octet-stream"

KINDS = (
    LeafKind("bytes", "value.bin", _BYTES, _is(bytes, memoryview), _bytes, _describe_bytes, _size, restore=bytes),
    LeafKind("bytearray", "value.bin", _BYTES, _is(bytearray), _bytes, _describe_bytes, _size, restore=_as_it_is),
    LeafKind(
        "array",
        "array.npy",
        "application/x-npy",
        is_array,
        array_chunks,
        describe_array,
        array_size,
        restore=array_from,
    ),
    LeafKind(StoredFile.kind, "figure.png", "image/png", _is_figure, _picture, lambda _: "figure"),
    LeafKind(Opaque.kind, "value.pickle", _BYTES, lambda _: True, _pickled, _describe_pickle, arrives=Opaque),
)
