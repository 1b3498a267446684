"""A tasklet on the command line: `plot x={{ result.radial }} title='a b' --when=always --optional`."""

import re
from typing import Any

from ..config.errors import InvalidTasklet

__all__ = ["call_from_words"]

#: A quoted text, a reference, or any other character that is no space; words are made of these. No backslash is special.
_PIECE = r"""'[^']*'|"[^"]*"|\{\{.*?\}\}|[^\s'"]"""
_WORD = re.compile(rf"(?:{_PIECE})+", re.DOTALL)
_QUOTED = re.compile(r"""\{\{.*?\}\}|'([^']*)'|"([^"]*)\"""", re.DOTALL)
_NAMED = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_OPTION = re.compile(r"--(when|time-limit|queue)=(.+)", re.DOTALL)


def call_from_words(text: str) -> dict[str, Any]:
    """Return what a `TaskletCall` is made of: the name, then arguments, `key=value`, and options with two dashes.

    Text stays text (`0012` is `0012`) until the function's annotations say otherwise; a key that is given again makes a
    list. Quotes keep spaces, `=` and dashes together.

    Raises:
        InvalidTasklet: when there is no name, a quote stays open, or an option is unknown.
    """
    words = _words(text)
    if not words:
        raise InvalidTasklet(text, ["name a tasklet first, as in 'plot title=LaB6'"])
    name, *rest = words
    facts: dict[str, Any] = {"tasklet": _unquoted(name)}
    args: list[str] = []
    kwargs: dict[str, Any] = {}
    for word in rest:
        if word.startswith("--"):
            facts |= _option(name, word)
        elif named := _NAMED.fullmatch(word):
            _add(kwargs, named[1], _unquoted(named[2]))
        else:
            args.append(_unquoted(word))
    return facts | {"args": tuple(args), "kwargs": kwargs}


def _words(text: str) -> list[str]:
    words = _WORD.findall(text)
    if rest := _WORD.sub("", text).strip():
        raise InvalidTasklet(text, [f"the quote {rest[0]} is not closed"])
    return words


def _unquoted(word: str) -> str:
    return _QUOTED.sub(lambda found: found[0] if found[0].startswith("{{") else found[1] or found[2] or "", word)


def _add(kwargs: dict[str, Any], key: str, value: str) -> None:
    if key not in kwargs:
        kwargs[key] = value
    elif isinstance(kwargs[key], list):
        kwargs[key].append(value)
    else:
        kwargs[key] = [kwargs[key], value]


def _option(name: str, word: str) -> dict[str, Any]:
    if word == "--optional":
        return {"required": False}
    if found := _OPTION.fullmatch(word):
        return {found[1].replace("-", "_"): _unquoted(found[2])}
    known = "--when=always, --optional, --time-limit=30s or --queue=NAME; quote an argument that begins with dashes"
    raise InvalidTasklet(name, [f"{word!r} is none of {known}"])
