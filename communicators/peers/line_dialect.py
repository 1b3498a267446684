"""Any program of ours may write lines of JSON: one object per line, its `kind` and fields as in the message classes."""

import re
from collections.abc import Sequence

from pydantic_core import from_json

from ..messages import Message
from .descriptor_passing import close_all
from .dialect import Heard
from .framing import Outgoing
from .inbox import Arrival
from .message_frames import line_of
from .program_messages import Refused, Unreadable, program_message

__all__ = ["LineDialect"]

_LONGEST = 1024 * 1024
_BLANK = re.compile(rb"[ \t\r\n]*")
_LIGHT = 64 * 1024


class LineDialect:
    """Speaks in lines. Its memory is bounded by that of the longest line."""

    #: What a line begins with, and what may come before it.
    BEGINNINGS = (b"{", b" ", b"\t", b"\r", b"\n")

    def __init__(self) -> None:
        self._pending = bytearray()
        self._searched = 0
        self._ended = False

    def feed(self, data: bytes, descriptors: list[int]) -> None:
        """Take the next bytes.

        Raises:
            Refused: when descriptors came with them.
        """
        if descriptors:
            close_all(descriptors)
            raise Refused("descriptors came with a line")
        self._pending += data
        self._ended |= not data

    def take(self, most: int) -> Sequence[bytes]:
        """Return the next lines that are not blank; the last one may lack its line feed."""
        lines: list[bytes] = []
        while len(lines) < most and (line := self._next_line()) is not None:
            lines.append(line)
        return lines

    def read(self, pieces: Sequence[bytes]) -> list[Heard]:
        """Make messages of lines, up to the first that is no line of JSON."""
        heard: list[Heard] = []
        for line in pieces:
            try:
                heard.append(Arrival(_message_of(line), len(line)))
            except Unreadable as skipped:
                heard.append(Arrival(skipped))
            except Refused as refusal:
                heard.append(refusal)
                break
        return heard

    def is_light(self, pieces: Sequence[bytes]) -> bool:
        """Whether they are short."""
        return sum(map(len, pieces)) < _LIGHT

    def encode(self, message: Message) -> Outgoing:
        """Return a message as a line."""
        outgoing = line_of(message)
        if len(outgoing.data) > _LONGEST:
            raise ValueError(f"it has {len(outgoing.data)} bytes; {_LONGEST} are the most that a line may have")
        return outgoing

    def close(self) -> None:
        """Nothing is held."""

    def _next_line(self) -> bytes | None:
        if (blank := _BLANK.match(self._pending)) and blank.end():
            del self._pending[: blank.end()]
            self._searched = 0
        end = self._pending.find(b"\n", self._searched)
        if max(end, len(self._pending) if end < 0 else 0) > _LONGEST:
            raise Refused(f"a line has more than {_LONGEST} bytes")
        if end < 0:
            self._searched = len(self._pending)
            if not (self._ended and self._pending):
                return None
            end = len(self._pending)
        line = bytes(self._pending[:end])
        del self._pending[: end + 1]
        self._searched = 0
        return line


def _message_of(line: bytes) -> Message:
    try:
        fields = from_json(line)
    except ValueError as error:
        raise Refused(f"a line is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise Refused("a line is not a JSON object")
    return program_message(fields.get("kind"), fields)
