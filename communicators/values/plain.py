"""Packed values as plain JSON, for those who take nothing else: arrays become lists, unless they are large."""

import json
from dataclasses import dataclass
from typing import Any

from ...config.errors import ArtifactError, CannotUnpack
from .artifact_store import ArtifactStore
from .packed_tag import WHOLE_TREE, Tag, is_tagged, read_tag
from .unpacking import unpack

__all__ = ["NotPlain", "as_plain"]

#: A whole tree that travelled by reference may be so many times larger than an array in it.
_TREE_FACTOR = 4


@dataclass(frozen=True)
class NotPlain:
    """Stands for a value that has no place in JSON, or takes too much; the text says what it is."""

    about: str


def as_plain(tree: Any, store: ArtifactStore, most_bytes: int) -> Any:
    """Return what was packed as JSON values, with a `NotPlain` for each that cannot be. Blocks; raises nothing.

    Args:
        tree: the packed value.
        store: where parts of it may be.
        most_bytes: an array that takes more stays unread.
    """
    if is_tagged(tree):
        return _restored(tree, store, most_bytes)
    if isinstance(tree, list):
        return tree if {dict, list}.isdisjoint(map(type, tree)) else [as_plain(one, store, most_bytes) for one in tree]
    if isinstance(tree, dict):
        return {key: as_plain(inner, store, most_bytes) for key, inner in tree.items()}
    return tree


def _restored(tree: dict[str, Any], store: ArtifactStore, most_bytes: int) -> Any:
    try:
        tag = read_tag(tree)
        if tag.mapping is not None:
            return {key: as_plain(inner, store, most_bytes) for key, inner in tag.mapping.items()}
        if tag.kind == WHOLE_TREE:
            return _whole(tag, store, most_bytes)
        return NotPlain(tag.shown) if _is_large(tag, most_bytes) else _as_list(unpack(tree, store), tag)
    except (CannotUnpack, ArtifactError, ValueError, RecursionError) as error:
        return NotPlain(f"a value that cannot be read ({error})")


def _whole(tag: Tag, store: ArtifactStore, most_bytes: int) -> Any:
    if tag.reference is None or tag.reference.size > _TREE_FACTOR * most_bytes:
        return NotPlain(tag.shown)
    return as_plain(json.loads(store.read(tag.reference)), store, most_bytes)


def _is_large(tag: Tag, most_bytes: int) -> bool:
    return tag.reference is not None and tag.reference.size > most_bytes


def _as_list(value: Any, tag: Tag) -> Any:
    """Return the numbers or texts of an array; an array alone has any."""
    plain = value.dtype.kind in "biufU" if hasattr(value, "dtype") else False
    return value.tolist() if plain else NotPlain(tag.shown)
