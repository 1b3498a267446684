"""One frame: the unit in which an Executor and its own child exchange messages on their socket."""

import os
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property

__all__ = ["INLINE_BYTES", "MAGIC", "MAX_BUFFERS", "Format", "Frame", "FrameError", "Header", "Layout", "Outgoing"]

#: The first byte occurs in no UTF-8 text, so a frame cannot be taken for a line of JSON.
MAGIC = b"\xf5ORF"
VERSION = 1
#: A larger payload travels in a memory file.
INLINE_BYTES = 64 * 1024
MAX_BUFFERS = 1024

_ALIGNMENT = 64
_DESCRIPTOR_COUNTS_FOR = 1024 * 1024
_FIXED = struct.Struct(">4sBBBxIQ")
_COUNT = struct.Struct(">Q")


class FrameError(ValueError):
    """What came is not a frame, and where the next one begins cannot be known."""


class Format(IntEnum):
    """How a body is to be read."""

    #: The first frame of a child; no body. The descriptor of its credit comes with it.
    HELLO = 1
    #: The last frame of a child; the body is the number of messages that it has sent.
    END = 2
    #: The message as JSON.
    JSON = 3
    #: The message's kind, a line feed, and its fields as a pickle whose buffers are apart.
    PICKLE = 4


_FORMATS = frozenset(Format)


@dataclass(frozen=True)
class Layout:
    """Where things are in a payload: the body at 0, then each buffer at the next multiple of 64, as arrays like it."""

    body: int = 0
    buffers: tuple[int, ...] = ()

    @cached_property
    def spans(self) -> tuple[slice, ...]:
        """The place of each buffer."""
        spans, end = [], self.body
        for length in self.buffers:
            start = aligned(end)
            end = start + length
            spans.append(slice(start, end))
        return tuple(spans)

    @cached_property
    def size(self) -> int:
        """The bytes of the whole payload."""
        return self.spans[-1].stop if self.spans else self.body


def aligned(offset: int) -> int:
    """Return the first place at or behind an offset where a buffer may begin."""
    return -(-offset // _ALIGNMENT) * _ALIGNMENT


@dataclass(frozen=True)
class Header:
    """What a frame begins with. Its form is the same for all versions, so that an unknown one can be stepped over."""

    format: int
    #: Whether a descriptor has come with the first byte.
    attached: bool
    layout: Layout
    version: int = VERSION

    def encode(self) -> bytes:
        """Return the header's bytes: big-endian, the length of each buffer after the fixed part."""
        buffers = self.layout.buffers
        fixed = _FIXED.pack(MAGIC, self.version, self.format, self.attached, len(buffers), self.layout.body)
        return fixed + struct.pack(f">{len(buffers)}Q", *buffers)

    @classmethod
    def decode(cls, data: bytearray) -> "Header | None":
        """Read a header; `None` while it is incomplete.

        Raises:
            FrameError: when it is none, or exceeds a bound.
        """
        if not data.startswith(MAGIC[: len(data)]):
            raise FrameError(f"a frame begins with {MAGIC!r}, not with {bytes(data[:4])!r}")
        if len(data) < _FIXED.size:
            return None
        _, version, kind, attached, count, body = _FIXED.unpack_from(data)
        if attached > 1 or count > MAX_BUFFERS:
            raise FrameError(f"a frame has at most 1 descriptor and {MAX_BUFFERS} buffers, not {attached} and {count}")
        if len(data) < _FIXED.size + count * _COUNT.size:
            return None
        header = cls(kind, bool(attached), Layout(body, struct.unpack_from(f">{count}Q", data, _FIXED.size)), version)
        if not attached and header.layout.size > INLINE_BYTES:
            raise FrameError(f"{header.layout.size} bytes do not travel in a frame, {INLINE_BYTES} at most")
        return header

    @property
    def meaning(self) -> Format | None:
        """How the body is to be read; `None` when this version does not know."""
        return Format(self.format) if self.version == VERSION and self.format in _FORMATS else None

    @property
    def held(self) -> int:
        """What it counts for among the bytes that the other end has not taken yet: a descriptor is scarce, too."""
        return max(self.layout.size, _DESCRIPTOR_COUNTS_FOR) if self.attached else 0

    @property
    def length(self) -> int:
        """Its own bytes."""
        return _FIXED.size + len(self.layout.buffers) * _COUNT.size


@dataclass
class Frame:
    """A frame that has come. Whoever takes it closes it."""

    header: Header
    #: What followed the header; with a descriptor, nothing.
    payload: bytearray = field(default_factory=bytearray)
    descriptor: int | None = None

    @property
    def layout(self) -> Layout:
        """Where things are in its payload."""
        return self.header.layout

    def close(self) -> None:
        """Let go of the descriptor."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


@dataclass
class Outgoing:
    """Bytes to be sent, and the descriptor that goes with the first of them. Whoever takes it closes it."""

    data: bytes
    descriptor: int | None = None
    #: See `Header.held`.
    held: int = 0

    def close(self) -> None:
        """Let go of the descriptor."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def hello(credit: int) -> Outgoing:
    """Return a child's first frame, which brings the descriptor of its credit."""
    return Outgoing(Header(Format.HELLO, attached=True, layout=Layout()).encode(), os.dup(credit))


def end(count: int) -> Outgoing:
    """Return a child's last frame: it has sent so many messages."""
    return Outgoing(Header(Format.END, attached=False, layout=Layout(_COUNT.size)).encode() + _COUNT.pack(count))
