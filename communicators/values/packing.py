"""Values on their way across Redis: as JSON as far as they are JSON, and by reference where they are not or are too large.

What is JSON in itself stays plain JSON. Models, dataclasses and mappings become mappings with text keys; lists, tuples and
sets become lists; times, paths, numbers and enums become what pydantic makes of them. Everything else is a row of
`leaf_kinds.KINDS`, and a tagged mapping takes its place (`packed_tag`).
"""

import contextlib
import dataclasses
import functools
from collections import deque
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import BaseModel, PydanticUserError, TypeAdapter
from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from ...config.errors import CannotPack
from .artifact_store import ArtifactStore
from .leaf_kinds import KINDS, LeafKind, belongs_to, type_name
from .packed_tag import WHOLE_TREE, Tag, escaped
from .stored_file import StoredFile

__all__ = ["pack"]

#: A packed tree may be this many times larger than a value in it.
_TREE_FACTOR = 16
#: Below what pydantic and the JSON readers of all parties take.
_DEEPEST = 200
_SCALARS = frozenset({str, int, float, bool, type(None)})
_PYTHON_SCALARS = frozenset({str, bytes, bool, int, float, complex, date, datetime, timedelta})


def pack(value: Any, store: ArtifactStore, folder: str, inline_limit: int) -> Any:
    """Return the value as JSON values; what is larger than `inline_limit` bytes goes into the store's folder. Blocks.

    Raises:
        CannotPack: for what is nested too deeply, no Unicode, or not even to be pickled.
        ArtifactError: when the store does not take it.
    """
    tree = _Packer(store, folder, inline_limit).pack(value)
    try:
        text = to_json(tree, inf_nan_mode="constants")
    except (PydanticSerializationError, ValueError) as error:
        raise CannotPack(type_name(value), str(error)) from error
    if len(text) <= _TREE_FACTOR * inline_limit:
        return tree
    reference = store.put(folder, "value.json", [text], "application/json")
    return Tag(kind=WHOLE_TREE, about=f"{type_name(value)}, {len(text)} bytes as JSON", reference=reference).as_tree()


@dataclasses.dataclass(frozen=True)
class _Packer:
    store: ArtifactStore
    folder: str
    inline_limit: int

    def pack(self, value: Any, depth: int = 0) -> Any:
        if type(value) in _SCALARS:
            return value
        if depth > _DEEPEST:
            raise CannotPack(type_name(value), f"it is nested in {depth} others; {_DEEPEST} are the most")
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, list | tuple | set | frozenset | deque):
            return list(value) if _is_flat(value) else [self.pack(item, depth + 1) for item in value]
        if isinstance(value, StoredFile):
            return self._stored(value)
        plain = _fields(value)
        return self._leaf(value, depth) if plain is value else self.pack(plain, depth)

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        packed = {_key(key): self.pack(item, depth + 1) for key, item in value.items()}
        if len(packed) < len(value):
            raise CannotPack(type_name(value), "two of its keys are the same as text")
        return escaped(packed)

    def _leaf(self, value: Any, depth: int) -> Any:
        """Return a scalar of JSON for what has one, and a tag for what has none."""
        if belongs_to(value, "numpy", "generic"):
            return self.pack(_python_scalar(value), depth)
        kind = next(kind for kind in KINDS if kind.knows(value))
        if kind is KINDS[-1]:  # only pickle knows it: pydantic may know better
            with contextlib.suppress(PydanticSerializationError, PydanticUserError):
                return self.pack(_as_pydantic_writes(value), depth)
        return self._tagged(kind, value)

    def _tagged(self, kind: LeafKind, value: Any) -> dict[str, Any]:
        about, chunks = kind.about(value), kind.chunks(value)
        if kind.size is not None and kind.size(value) <= self.inline_limit:
            return Tag.inline(kind.name, about, b"".join(chunks))
        reference = self.store.put(self.folder, kind.file_name, chunks, kind.media_type)
        return Tag(kind=kind.name, about=about, reference=reference).as_tree()

    def _stored(self, value: StoredFile) -> dict[str, Any]:
        if value.store != self.store:
            raise CannotPack(type_name(value), "it lies in another artefact store")
        return Tag(kind=value.kind, about=value.about, reference=value.reference).as_tree()


def _fields(value: Any) -> Any:
    """Return what a model or a dataclass is made of, and anything else as it is."""
    if isinstance(value, BaseModel):
        return value.model_dump(warnings=False)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return value


def _is_flat(values: Collection[Any]) -> bool:
    return _SCALARS.issuperset(map(type, values))


def _key(key: Any) -> str:
    """Return a mapping's key as pydantic writes it."""
    if type(key) is str:
        return key
    try:
        return str(next(iter(to_jsonable_python({key.item() if belongs_to(key, "numpy", "generic") else key: None}))))
    except PydanticSerializationError as error:
        raise CannotPack(type_name(key), "as a key of a mapping it has no text") from error


def _python_scalar(value: Any) -> Any:
    """Return a NumPy scalar as Python's, or as an array without dimensions where Python has none so exact."""
    import numpy as np

    item = value.item()
    exact = type(item) in _PYTHON_SCALARS and not (value.dtype.kind in "mM" and type(item) is int)  # counted from 1970
    return item if exact else np.asarray(value)


def _as_pydantic_writes(value: Any) -> Any:
    """Return the JSON values of a leaf. Raises what pydantic raises for what it does not know."""
    try:
        return to_jsonable_python(value)
    except PydanticSerializationError:
        kind: Any = type(value)
        return _adapter(kind).dump_python(value, mode="json")


@functools.lru_cache(maxsize=256)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
