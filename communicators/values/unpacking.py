"""Values as they arrive by way of Redis.

What Redis holds may be anybody's word: nothing of it is run or unpickled, and what a reference names takes no more memory
than there are bytes in the store.
"""

import json
from typing import Any

from ...config.errors import CannotUnpack
from .artifact_store import ArtifactStore
from .leaf_kinds import KINDS
from .packed_tag import WHOLE_TREE, Tag, is_tagged, read_tag

__all__ = ["unpack"]

_KIND_OF = {kind.name: kind for kind in KINDS}


def unpack(tree: Any, store: ArtifactStore) -> Any:
    """Return what was packed, as far as its JSON says: a model arrives as a mapping. Blocks.

    Raises:
        CannotUnpack: for a tag that makes no sense, or is of a newer version.
        ArtifactError: when a part cannot be read, or is not what was stored.
    """
    try:
        if is_tagged(tree) and (tag := read_tag(tree)).kind == WHOLE_TREE:
            tree = json.loads(_content(tag, store))
        return _unpacked(tree, store)
    except (ValueError, RecursionError) as error:
        raise CannotUnpack(f"{type(error).__name__}: {error}") from error


def _unpacked(tree: Any, store: ArtifactStore) -> Any:
    if isinstance(tree, list):
        return tree if {dict, list}.isdisjoint(map(type, tree)) else [_unpacked(item, store) for item in tree]
    if not isinstance(tree, dict):
        return tree
    if is_tagged(tree):
        tag = read_tag(tree)
        if tag.mapping is None:
            return _restored(tag, store)
        tree = tag.mapping
    return {key: _unpacked(item, store) for key, item in tree.items()}


def _restored(tag: Tag, store: ArtifactStore) -> Any:
    kind = _KIND_OF.get(tag.kind)
    if kind is None:
        raise CannotUnpack(f"values of the kind {tag.kind!r} are unknown")
    if kind.restore is None:
        if tag.reference is None:
            raise CannotUnpack(f"a value of the kind {tag.kind!r} has no reference")
        return kind.arrives(tag.reference, store, tag.about)
    content = _content(tag, store)
    try:
        return kind.restore(content)
    except Exception as error:
        raise CannotUnpack(f"it is no value of the kind {tag.kind!r} ({type(error).__name__}: {error})") from error


def _content(tag: Tag, store: ArtifactStore) -> bytearray:
    return store.read(tag.reference) if tag.reference else tag.content()
