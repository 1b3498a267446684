r"""References to values by name: `{{ calibration.geometry }}`, `{{ images[0] }}`, `{{ limits["run time"] }}`.

A name and a way into mappings, lists and models; no expressions, no calls. `\{{` stands for `{{` itself.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any

from .errors import InvalidReference
from .reference_path import REFERENCE, TOKEN, follow, root_name

__all__ = ["Budget", "check_references", "defer", "escape", "references_in", "resolve"]

_WHOLE = re.compile(REFERENCE)
_DEEPEST = 100


class Budget:
    """How much values may grow by references: a small file could name one large value, or text, again and again."""

    def __init__(self, values: int = 100_000, characters: int = 4 * 2**20) -> None:
        """Allow as many values, and as many characters in all their texts."""
        self._values = values
        self._characters = characters

    def take(self, value: Any, place: list[str | int], reference: str = "") -> None:
        """Count a value with all that is in it.

        Raises:
            InvalidReference: when that is too much, or too deep.
        """
        self._values -= 1
        if self._values < 0:
            raise InvalidReference(reference, "the references make too many values", place)
        if len(place) > _DEEPEST:
            raise InvalidReference(reference, f"there are more than {_DEEPEST} levels of values", place)
        if isinstance(value, str):
            self.take_text(value, place, reference)
        for key, inner in _items(value):
            if isinstance(key, str):
                self.take_text(key, place, reference)
            self.take(inner, [*place, key], reference)

    def take_text(self, text: str, place: list[str | int], reference: str) -> None:
        """Count a text.

        Raises:
            InvalidReference: when that is too much.
        """
        self._characters -= len(text)
        if self._characters < 0:
            raise InvalidReference(reference, "the references make too much text", place)


def resolve(value: Any, context: Mapping[str, Any], budget: Budget | None = None) -> Any:
    r"""Return a value with its references replaced, at any depth; keys of mappings stay as they are.

    A text that is one reference becomes what that leads to, with its type. Within more text it becomes text, and must lead
    to a text, a number, a truth value or a path.

    >>> resolve(["{{ run }}", "run_{{ run.number }}.h5", r"\{{"], {"run": {"number": 7}})
    [{'number': 7}, 'run_7.h5', '{{']

    Raises:
        InvalidReference: naming the first reference that leads nowhere, and what is known there.
    """
    return _resolved(value, context, budget or Budget(), [])


def check_references(value: Any, context: Mapping[str, Any], later: Collection[str] = ()) -> None:
    """Make sure that each reference in a value leads somewhere, as far as that is known.

    Args:
        value: which may hold references at any depth.
        context: what is known now.
        later: names that will be known later; what lies behind them is not looked at.

    Raises:
        InvalidReference: naming the first that cannot, and what is known there.
    """
    names = dict.fromkeys(later) | dict(context)
    for reference, place in _references(value, []):
        if root_name(reference) not in later:
            _value(reference, names, place)


def escape(value: Any) -> Any:
    """Return a value, or at any depth one with texts, that `resolve` turns into this one."""
    return _with_texts(value, lambda text: text.replace("{{", r"\{{"))


def defer(value: Any, later: Collection[str]) -> Any:
    r"""Return a value that `resolve` leaves references to some names in, and escapes, for another `resolve` later.

    What the other references lead to must be escaped, since it is looked at again.

    >>> resolve(defer(r"{{ run }} of {{ job.id }} \{{", {"job"}), {"run": 7})
    '7 of {{ job.id }} \\{{'
    """

    def kept(match: re.Match[str]) -> str:
        stays = match[0].startswith("\\") or (match[0] != "{{" and root_name(match[0]) in later)
        return f"\\{match[0]}" if stays else match[0]

    return _with_texts(value, lambda text: TOKEN.sub(kept, text))


def references_in(value: Any) -> Iterator[str]:
    """Yield the references in a value, at any depth; `{{` is one that never ends."""
    yield from (reference for reference, _ in _references(value, []))


def _with_texts(value: Any, change: Callable[[str], str]) -> Any:
    match value:
        case str():
            return change(value)
        case list():
            return [_with_texts(inner, change) for inner in value]
        case dict():
            return {key: _with_texts(inner, change) for key, inner in value.items()}
        case _:
            return value


def _resolved(value: Any, context: Mapping[str, Any], budget: Budget, place: list[str | int]) -> Any:
    if isinstance(value, str):
        return _text(value, context, budget, place)
    if len(place) > _DEEPEST:
        raise InvalidReference("", f"there are more than {_DEEPEST} levels of values", place)
    if isinstance(value, Mapping):
        return {key: _resolved(inner, context, budget, [*place, key]) for key, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, context, budget, [*place, number]) for number, inner in enumerate(value)]
    return value


def _references(value: Any, place: list[str | int]) -> Iterator[tuple[str, list[str | int]]]:
    if len(place) > _DEEPEST:
        raise InvalidReference("", f"there are more than {_DEEPEST} levels of values", place)
    if isinstance(value, str):
        yield from ((found[0], place) for found in TOKEN.finditer(value) if not found[0].startswith("\\"))
    for key, inner in _items(value):
        yield from _references(inner, [*place, key])


def _text(text: str, context: Mapping[str, Any], budget: Budget, place: list[str | int]) -> Any:
    if "{{" not in text:
        return text
    if _WHOLE.fullmatch(text):
        found = _value(text, context, place)
        budget.take(found, place, text)
        return found
    made: list[str] = []
    end = 0
    for match in TOKEN.finditer(text):
        word = "{{" if match[0].startswith("\\") else _embedded(match[0], context, place)
        budget.take_text(word, place, match[0])
        made += [text[end : match.start()], word]
        end = match.end()
    return "".join(made) + text[end:]


def _embedded(reference: str, context: Mapping[str, Any], place: list[str | int]) -> str:
    value = _value(reference, context, place)
    match value:
        case Enum():
            return str(value.value)
        case bool():
            return str(value).lower()  # as YAML and JSON write it
        case str() | int() | float() | PurePath():
            return str(value)
        case _:
            kind = "null" if value is None else f"a {type(value).__name__}"
            raise InvalidReference(reference, f"it is {kind}, which cannot stand within text", place)


def _value(reference: str, context: Mapping[str, Any], place: list[str | int]) -> Any:
    if not reference.endswith("}}"):
        raise InvalidReference("{{", r"there is no }} to it; write \{{ for the characters themselves", place)
    try:
        return follow(reference, context)
    except LookupError as error:
        raise InvalidReference(reference, str(error.args[0]), place) from None


def _items(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, Mapping):
        return value.items()
    return enumerate(value) if isinstance(value, list | tuple) else ()
