"""The words of a launch wrapper, as the setting has them."""

import shlex
from collections.abc import Iterator
from string import Formatter

__all__ = ["filled", "placeholders_in", "split_words"]

#: What a word may ask for by `{name}`.
_PLACEHOLDERS = frozenset({"directory", "executable", "job_id", "program", "task"})


def split_words(text: str) -> tuple[str, ...]:
    """Return the words of a wrapper as a shell would split them.

    Raises:
        ValueError: when a quotation has no end, or a placeholder is unknown.
    """
    words = tuple(shlex.split(text))
    for word in words:
        for name in placeholders_in(word):
            if name not in _PLACEHOLDERS:
                known = ", ".join(f"{{{known}}}" for known in sorted(_PLACEHOLDERS))
                raise ValueError(f"{{{name}}} in {word!r} stands for nothing; there are {known}, and {{{{ is a brace")
    return words


def placeholders_in(word: str) -> frozenset[str]:
    """Return the names of the placeholders in a word.

    Raises:
        ValueError: when a brace has no partner.
    """
    return frozenset(name for _, name in _pieces(word) if name is not None)


def filled(word: str, values: dict[str, str]) -> str:
    """Return a word with values in place of its placeholders."""
    return "".join(text + (values[name] if name is not None else "") for text, name in _pieces(word))


def _pieces(word: str) -> Iterator[tuple[str, str | None]]:
    """Yield pairs of a text and the placeholder behind it."""
    try:
        for text, name, detail, conversion in Formatter().parse(word):
            shown = None if name is None else name + (f"!{conversion}" if conversion else "")
            yield text, f"{shown}:{detail}" if detail else shown
    except ValueError as error:
        raise ValueError(f"{word!r}: {error}; a brace that is meant is doubled") from error
