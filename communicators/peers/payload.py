"""What a frame carries: few bytes within the frame, many in a memory file that goes with it."""

import contextlib
import io
import os
import pickle
from collections.abc import Iterator
from typing import BinaryIO

from .framing import INLINE_BYTES, Format, Frame, Header, Layout, Outgoing, aligned
from .memory_file import check_memory_file, create_memory_file, map_memory_file, seal_memory_file, write_at

__all__ = ["PayloadWriter", "buffers_of", "open_body"]


class PayloadWriter:
    """A file to pickle into. What is written is copied once, and beyond some bytes not kept in our memory."""

    def __init__(self) -> None:
        self._inline = bytearray()
        self._descriptor: int | None = None
        self._size = 0
        self._lengths: list[int] = []

    def write(self, data: bytes | pickle.PickleBuffer) -> int:
        """Append bytes; large objects come as they are, without a copy."""
        with pickle.PickleBuffer(data).raw() as view:
            end = self._size + view.nbytes
            if self._descriptor is None and end > INLINE_BYTES:
                self._spill()
            if self._descriptor is None:
                self._inline += view
            else:
                write_at(self._descriptor, view, self._size)
            self._size = end
            return view.nbytes

    def frame(self, kind: Format, buffers: list[pickle.PickleBuffer]) -> Outgoing:
        """Return all that was written as a frame's body, with the buffers behind it. There is no second frame."""
        body = self._size
        for buffer in buffers:
            self._align()
            self._lengths.append(self.write(buffer))
        header = Header(kind, attached=self._descriptor is not None, layout=Layout(body, tuple(self._lengths)))
        if self._descriptor is not None:
            seal_memory_file(self._descriptor)
        descriptor, self._descriptor = self._descriptor, None
        return Outgoing(header.encode() + self._inline, descriptor, header.held)

    def close(self) -> None:
        """Let go of what has not become a frame."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _spill(self) -> None:
        self._descriptor = create_memory_file()
        write_at(self._descriptor, memoryview(self._inline), 0)
        self._inline = bytearray()

    def _align(self) -> None:
        start = aligned(self._size)
        if self._descriptor is None:
            self._inline += bytes(start - self._size)
        self._size = start  # in a file, what is left out reads as zeros


@contextlib.contextmanager
def open_body(frame: Frame) -> Iterator[BinaryIO]:
    """Give a frame's body as a file.

    It is read and not mapped: what is unpickled from it is a copy, and the mapping would be a second one.

    Raises:
        FrameError: when the payload is not as the header says.
    """
    if frame.descriptor is None:
        with io.BytesIO(frame.payload[: frame.layout.body]) as body:
            yield body
    else:
        check_memory_file(frame.descriptor, frame.layout.size)
        with open(frame.descriptor, "rb", closefd=False) as body:
            yield body


def buffers_of(frame: Frame) -> list[memoryview]:
    """Return the buffers of a frame whose body was opened; they stay good for as long as they are referred to."""
    layout = frame.layout
    if frame.descriptor is None:
        whole = memoryview(frame.payload)
    else:
        whole = map_memory_file(frame.descriptor, layout.size) if layout.buffers else memoryview(b"")
    return [whole[span] for span in layout.spans]
