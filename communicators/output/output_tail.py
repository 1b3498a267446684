"""What of a program's output is worth relaying: the newest lines, bounded, with a count of what was left out."""

import re
from collections import deque
from dataclasses import dataclass

__all__ = ["ESCAPE", "OutputTail", "Tail", "one_line", "printable"]

#: Escape sequences (ECMA-48: CSI and OSC), such as colours.
ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\r\n]*(?:\x07|\x1b\\)?")
#: They and control characters would act on the reader's terminal.
_CONTROL = re.compile(ESCAPE.pattern + r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]")

#: What begins a new line, and the tab, whose width is the terminal's.
_BREAK = re.compile(r"[\t-\r\x85\u2028\u2029]+")

_ELLIPSIS = "… "


def printable(text: str) -> str:
    """Return the text without what would act on a terminal; tabs and line feeds stay."""
    return _CONTROL.sub("", text)


def one_line(text: str) -> str:
    """Return the text without what would act on a terminal, breaks replaced by spaces."""
    return printable(_BREAK.sub(" ", text))


@dataclass(frozen=True)
class Tail:
    """The lines since the last look, oldest first; `dropped` ones before them were left out."""

    lines: tuple[str, ...]
    dropped: int
    #: The newest text, carriage returns and unfinished line included, colours not: for progress.
    text: str


class OutputTail:
    """Takes bytes as they come and gives lines. Its memory and its work per look are bounded, whatever it is fed."""

    def __init__(self, *, window: int = 64 * 1024, max_lines: int = 200, max_line: int = 2000, keep: int = 20) -> None:
        """Set the bounds.

        Args:
            window: bytes kept between two looks.
            max_lines: lines given per look.
            max_line: characters of a line that are given, the last ones.
            keep: lines remembered for the end.
        """
        self._window = window
        self._max_lines = max_lines
        self._max_line = max_line
        self._pending = bytearray()
        self._cut = False
        self._newlines = 0
        self.last_lines: deque[str] = deque(maxlen=keep)

    def feed(self, data: bytes | bytearray, size: int | None = None) -> None:
        """Take the next bytes: those of `data`, or the first `size` of them."""
        size = len(data) if size is None else size
        self._newlines += data.count(b"\n", 0, size)
        if size >= self._window:
            self._cut |= bool(self._pending) or size > self._window
            self._pending[:] = data[size - self._window : size]
            return
        self._pending += data[:size]
        if (excess := len(self._pending) - self._window) > 0:
            del self._pending[:excess]
            self._cut = True

    def take(self, *, final: bool = False) -> Tail:
        """Give what is new; an unfinished line waits for its end, unless this is the `final` look."""
        raw = bytes(self._pending)
        complete, newline, rest = raw.rpartition(b"\n")
        pieces = complete.split(b"\n") if newline else []
        headless = self._cut and bool(pieces or rest)
        if headless and pieces and self._newlines > len(pieces):
            pieces.pop(0)  # the window begins within a line that has an end in it and a line before it
            headless = False
        seen = self._newlines
        self._pending[:] = rest
        self._newlines = 0
        if pieces or not rest:
            self._cut = False
        if final and rest:
            pieces.append(rest)
            seen += 1
            self._pending.clear()
        lines = tuple(self._clean(piece) for piece in pieces[-self._max_lines :])
        if headless and lines and len(lines) == len(pieces):
            lines = (lines[0] if lines[0].startswith(_ELLIPSIS) else _ELLIPSIS + lines[0], *lines[1:])
        self.last_lines.extend(lines)
        return Tail(lines, seen - len(lines), ESCAPE.sub("", raw.decode("utf-8", "replace")))

    def _clean(self, piece: bytes) -> str:
        """Return a line as a terminal would show it in the end: what follows the last carriage return, printable."""
        shown = piece.rstrip(b"\r").rpartition(b"\r")[2]
        room = 4 * self._max_line  # bytes of as many characters as are given, at the most
        text = printable(shown[-room:].decode("utf-8", "replace"))
        return text if len(text) <= self._max_line and len(shown) <= room else _ELLIPSIS + text[-self._max_line :]
