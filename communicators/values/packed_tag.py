"""What stands in a JSON tree for a value that is not JSON: a mapping whose only key is `$outrider`.

{"$outrider": {"version": 1, "kind": "array", "about": "array float64 (2,), 16 bytes", "base64": "k05VTVBZ…"}}
{"$outrider": {"version": 1, "kind": "array", "about": "…", "reference": {"key": "…", "size": 80128, …}}}
{"$outrider": {"version": 1, "kind": "mapping", "mapping": {"$outrider": "a user's own"}}}
"""

import base64
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ...config.errors import CannotUnpack
from .reference import Reference

__all__ = ["WHOLE_TREE", "Tag", "described", "escaped", "is_tagged", "read_tag"]

#: The kind of a whole tree that travels by reference, as JSON.
WHOLE_TREE = "json"
_KEY = "$outrider"


class Tag(BaseModel):
    """A value that is not JSON: its content is here, or at the reference."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal[1] = 1
    kind: str
    #: One line for people.
    about: str = ""
    base64: str | None = None
    reference: Reference | None = None
    #: A packed mapping of a user that must not be taken for a tag.
    mapping: dict[str, Any] | None = None

    @classmethod
    def inline(cls, kind: str, about: str, content: bytes) -> dict[str, Any]:
        """Return the tagged mapping of a value whose content it holds."""
        return cls(kind=kind, about=about, base64=base64.b64encode(content).decode()).as_tree()

    def as_tree(self) -> dict[str, Any]:
        """Return the tagged mapping."""
        return {_KEY: self.model_dump(mode="json", exclude_none=True)}

    def content(self) -> bytearray:
        """Return the content that is here.

        Raises:
            CannotUnpack: when there is none.
        """
        if self.base64 is None:
            raise CannotUnpack(f"a value of the kind {self.kind!r} has no content")
        try:
            return bytearray(base64.b64decode(self.base64, validate=True))
        except ValueError as error:
            raise CannotUnpack(f"the content of a value of the kind {self.kind!r} is no base64") from error

    @property
    def shown(self) -> str:
        """What people read in place of the value."""
        return ", ".join((self.about or self.kind, *([self.reference.key] if self.reference else [])))


def is_tagged(tree: Any) -> bool:
    """Say whether this is a tagged mapping, of whatever content."""
    return type(tree) is dict and len(tree) == 1 and _KEY in tree


def read_tag(tree: dict[str, Any]) -> Tag:
    """Return the tag of a tagged mapping.

    Raises:
        CannotUnpack: when it is malformed or of another version.
    """
    try:
        return Tag.model_validate(tree[_KEY])
    except ValidationError as error:
        first = error.errors()[0]
        raise CannotUnpack(f"{_KEY}.{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def escaped(mapping: dict[str, Any]) -> dict[str, Any]:
    """Return a packed mapping of a user so that it is not taken for a tag."""
    return {_KEY: {"version": 1, "kind": "mapping", "mapping": mapping}} if is_tagged(mapping) else mapping


def described(tree: Any) -> Any:
    """Return the tree for people's eyes: one line in place of each value that is not JSON; nothing is read."""
    if isinstance(tree, list):
        return [described(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    if is_tagged(tree):
        try:
            tag = read_tag(tree)
        except CannotUnpack:
            return tree
        if tag.mapping is None:
            return tag.shown
        tree = tag.mapping
    return {key: described(item) for key, item in tree.items()}
