"""The parts of text, files, notices and new parameters."""

import mimetypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .parts import FilePart, NoticePart, ParametersPart, Shown, TextPart, WarningPart
from .plain import clean, new_path, shortened
from .values import File, NewParameters, Notice

__all__ = ["file_part", "file_parts", "notice_parts", "parameters_parts", "path_parts", "text_parts"]

_LONGEST_TEXT = 8000
_LONGEST_TITLE = 200


def text_parts(value: Any, folder: Path) -> Iterator[Shown]:
    """Yield a text, or a number as such; what is long goes to a file as well."""
    text = clean(str(value))
    yield TextPart(text=shortened(text, _LONGEST_TEXT), characters=len(text))
    if len(text) > _LONGEST_TEXT:
        path = new_path(folder, "text.txt")
        path.write_text(text, encoding="utf-8")
        yield file_part(path)


def path_parts(path: Path, folder: Path) -> Iterator[Shown]:
    """Yield a file, of which only the path was returned."""
    yield from file_parts(File(path), folder)


def file_parts(file: File, _folder: Path) -> Iterator[Shown]:
    """Yield a file, if it is one."""
    if file.path.is_file():
        yield file_part(file.path, file.name, file.move_to)
    else:
        what = "is no regular file" if file.path.exists() else "does not exist"
        yield WarningPart(text=f"the file {shortened(clean(str(file.path)), 500)!r} was returned, but it {what}")


def file_part(path: Path, name: str = "", move_to: Path | None = None) -> FilePart:
    """Return the part of a file that exists."""
    name = clean(name) or path.name
    kind, packing = mimetypes.guess_type(path.name)
    media_type = kind if kind and not packing else "application/octet-stream"
    return FilePart(path=Path(os.path.abspath(path)), name=name, media_type=media_type, move_to=move_to)


def notice_parts(notice: Notice, _folder: Path) -> Iterator[Shown]:
    """Yield a notice; files that are not there become warnings."""
    files = tuple(Path(os.path.abspath(path)) for path in notice.attachments)
    there = tuple(path for path in files if path.is_file())
    title, text = clean(notice.title), clean(notice.text)
    yield NoticePart(title=shortened(title, _LONGEST_TITLE), text=shortened(text, _LONGEST_TEXT), attachments=there)
    for path in files:
        if path not in there:
            yield WarningPart(text=f"{str(path)!r} was to be attached to a notice, but it is no file")


def parameters_parts(parameters: NewParameters, _folder: Path) -> Iterator[Shown]:
    """Yield the parameters."""
    yield ParametersPart(values=dict(parameters))
