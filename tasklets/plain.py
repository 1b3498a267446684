"""Values made plain: text that may be shown anywhere, cells of tables, JSON of bounded size, and names for new files."""

import json
import math
import os
import re
from pathlib import Path
from typing import Any

from pydantic import JsonValue
from pydantic_core import to_json

from .parts import Cell

__all__ = ["clean", "new_path", "plain_cell", "plain_json", "shortened"]

_LONGEST_CELL = 200
_LONGEST_VALUE = 1000
#: A terminal's commands, and what is no character: text may come from a program.
_COMMAND = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """Return text without what a terminal would obey, and without what is no Unicode."""
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    return _COMMAND.sub("", unix).encode("utf-8", "replace").decode("utf-8")


def shortened(text: str, length: int) -> str:
    """Return at most so many characters of a text; the last one says that there were more."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def plain_cell(value: Any) -> Cell:
    """Return a cell of a table: a number as it is, anything else as short text."""
    value = _unpacked(value)
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case _:
            return shortened(clean(str(value)), _LONGEST_CELL)


def plain_json(value: Any) -> JsonValue:
    """Return a value as JSON; what is long, or no JSON, becomes short text."""
    try:
        text = to_json(_unpacked(value), fallback=_as_json, inf_nan_mode="strings", bytes_mode="base64").decode()
    except ValueError:  # it holds itself, or what is no Unicode
        return shortened(clean(str(value)), _LONGEST_VALUE)
    plain: JsonValue = json.loads(text)
    if isinstance(plain, str):
        return shortened(clean(plain), _LONGEST_VALUE)
    return plain if len(text) <= _LONGEST_VALUE else shortened(text, _LONGEST_VALUE)


def new_path(folder: Path, name: str) -> Path:
    """Return the path of a new, empty file in a folder, called as wished or, if that is taken, with a number."""
    stem, suffix = os.path.splitext(name)
    number = 1
    while True:
        path = folder / (name if number == 1 else f"{stem}-{number}{suffix}")
        try:
            path.open("xb").close()
        except FileExistsError:
            number += 1
        else:
            return path.absolute()


def _unpacked(value: Any) -> Any:
    """Return the Python value of an array's scalar."""
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0 else value


def _as_json(value: Any) -> Any:
    return value.tolist() if type(value).__module__ == "numpy" else str(value)
