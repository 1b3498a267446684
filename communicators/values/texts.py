"""The texts in a packed value."""

from collections.abc import Callable
from typing import Any

from .packed_tag import is_tagged

__all__ = ["with_texts"]


def with_texts(tree: Any, change: Callable[[str], str]) -> Any:
    """Return a packed value with each of its texts changed, those of mappings' keys as well; what is no JSON stays."""
    if isinstance(tree, str):
        return change(tree)
    if isinstance(tree, list):
        return [with_texts(item, change) for item in tree]
    if not isinstance(tree, dict):
        return tree
    if is_tagged(tree):
        ((key, tag),) = tree.items()
        if not isinstance(tag, dict) or "mapping" not in tag:
            return tree
        return {key: {**tag, "mapping": {name: with_texts(item, change) for name, item in tag["mapping"].items()}}}
    return {change(name): with_texts(item, change) for name, item in tree.items()}
