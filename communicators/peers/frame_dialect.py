"""The Executor's own child speaks in frames: any Python object, and a count at the end."""

import struct
from collections.abc import Sequence

from ..messages import Message, Raised
from .credit import Credit
from .dialect import Heard
from .frame_reader import FrameReader
from .framing import MAGIC, Format, Frame, FrameError, Outgoing
from .inbox import Arrival
from .message_frames import fields_in, frame_of
from .program_messages import TASK_MESSAGES, Unreadable, program_message

__all__ = ["FrameDialect"]


class FrameDialect:
    """Speaks in frames, and counts them."""

    BEGINNING = MAGIC[:1]

    def __init__(self) -> None:
        self._reader = FrameReader()
        self._credit: Credit | None = None
        self._count = 0
        self._announced: int | None = None
        self._failure: FrameError | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the child has said how many messages it sent, and all of them have come."""
        return self._announced == self._count

    def feed(self, data: bytes, descriptors: list[int]) -> None:
        """Take the next bytes; a frame that has not ended at the end is lost, and `is_complete` says so."""
        self._reader.feed(data, descriptors)

    def take(self, most: int) -> Sequence[Frame]:
        """Return the next frames that hold messages."""
        frames: list[Frame] = []
        try:
            while not self._failure and len(frames) < most and (frame := self._reader.take()) is not None:
                if not self._is_ours(frame):
                    frames.append(frame)
        except FrameError as failure:
            self._failure = failure
        if self._failure and not frames:
            raise self._failure
        return frames

    def read(self, pieces: Sequence[Frame]) -> list[Heard]:
        """Make messages of frames, up to the first whose payload is not as its header says."""
        heard: list[Heard] = []
        for frame in pieces:
            if heard and isinstance(heard[-1], FrameError):
                frame.close()
            else:
                heard.append(self._read(frame))
        return heard

    def is_light(self, pieces: Sequence[Frame]) -> bool:
        """Whether unpickling takes long cannot be known."""
        return not pieces

    def encode(self, message: Message) -> Outgoing:
        """Return a message as a frame."""
        return frame_of(message)

    def close(self) -> None:
        """Let go of descriptors, and of the credit: the child has ended."""
        self._reader.close()
        if self._credit:
            self._credit.close()

    def _is_ours(self, frame: Frame) -> bool:
        """Deal with what is said from framing to framing; count the rest."""
        if self._announced is not None:
            frame.close()
            raise FrameError("a frame came after the end")
        match frame.header.meaning:
            case Format.HELLO if frame.descriptor is not None and not self._credit:
                self._credit = Credit.received(frame.descriptor)
                frame.descriptor = None if self._credit else frame.descriptor
            case Format.END if len(frame.payload) == struct.calcsize(">Q"):
                (self._announced,) = struct.unpack(">Q", frame.payload)
            case Format.HELLO | Format.END:
                pass
            case _:
                self._count += 1
                return False
        frame.close()
        return True

    def _read(self, frame: Frame) -> Heard:
        held, size = frame.header.held, len(frame.payload)
        try:
            return Arrival(_message_in(frame), size, self._credit, held)
        except Unreadable as skipped:
            return Arrival(skipped, size, self._credit, held)
        except FrameError as failure:
            return failure
        except BaseException as error:  # noqa: BLE001 - the task's own objects may raise anything when they are looked at
            return Arrival(Unreadable("?", f"it raised {type(error).__name__}"), size, self._credit, held)


def _message_in(frame: Frame) -> Message:
    """Return what a frame says. What a task returned may be unreadable; that it has returned must not be lost."""
    kind: object = "?"
    try:
        kind, fields = fields_in(frame)
        return program_message(kind, fields, TASK_MESSAGES)
    except Unreadable as unreadable:
        if "returned" not in (kind, unreadable.kind):
            raise
        return Raised(error=f"what the task returned was lost: {unreadable.reason}", source="socket")
