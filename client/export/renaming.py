"""What a run's files are called in the exported folder. Pure."""

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

__all__ = ["Renaming", "file_names"]

#: What may stand before a path in a word without being a part of it: the name of an option that is joined to its value.
_JOINED_OPTION = re.compile(r"-[\w-]*(?=/)")


def file_names(paths: Iterable[str]) -> dict[str, str]:
    """Return a file name of its own for each path; two of one name are numbered."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for path in paths:
        last = PurePosixPath(path).name
        pure = PurePosixPath(last if last not in ("", ".", "..") else "input")
        name, number = pure.name, 1
        while name in taken:
            number += 1
            name = f"{pure.stem}-{number}{pure.suffix}"
        taken.add(name)
        names[path] = name
    return names


class Renaming:
    """Puts new paths in place of recorded ones, wherever they stand as a whole."""

    def __init__(self, places: Mapping[str, str]) -> None:
        """Take the new path of each old one."""
        self._places = places
        longest_first = sorted(filter(None, places), key=len, reverse=True)
        every = "|".join(map(re.escape, longest_first))
        self._pattern = re.compile(rf"(?<![\w./-])(?:{every})(?![\w.-])") if every else None

    def text(self, text: str) -> str:
        """Return a text, such as a configuration, with the new paths."""
        return self._pattern.sub(lambda found: self._places[found[0]], text) if self._pattern else text

    def word(self, word: str) -> str:
        """Return a word of a command with the new paths, also behind an option that is joined to its value."""
        option = _JOINED_OPTION.match(word)
        return option[0] + self.text(word[option.end() :]) if option else self.text(word)

    def value(self, value: Any) -> Any:
        """Return a JSON value with the new paths in place of texts that are one."""
        match value:
            case str():
                return self._places.get(value, value)
            case list():
                return [self.value(item) for item in value]
            case dict():
                return {name: self.value(item) for name, item in value.items()}
            case _:
                return value
