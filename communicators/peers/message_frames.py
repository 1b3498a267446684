"""Messages in frames: JSON where that can say it, else a pickle whose large buffers are apart."""

import pickle
import traceback
from typing import Any, BinaryIO

from pydantic_core import PydanticSerializationError, from_json

from ..messages import Message
from .framing import MAX_BUFFERS, Format, Frame, Outgoing
from .payload import PayloadWriter, buffers_of, open_body
from .program_messages import Unreadable

__all__ = ["fields_in", "frame_of", "line_of"]

#: Smaller ones are pickled like anything else.
_SMALLEST_BUFFER = 4096
#: Who carries a message fills these in.
_CARRIER_FIELDS = frozenset({"source", "sequence", "stamp"})
_LONGEST_KIND = 32


def line_of(message: Message) -> Outgoing:
    """Return a message as a line of JSON.

    Raises:
        ValueError: when JSON cannot say it.
    """
    return Outgoing(message.model_dump_json(exclude=set(_CARRIER_FIELDS)).encode() + b"\n")


def frame_of(message: Message) -> Outgoing:
    """Return a message as a frame.

    Raises:
        Exception: whatever pickling its value raises, and OSError when there is no memory for it.
    """
    writer = PayloadWriter()
    try:
        if "value" not in type(message).model_fields:
            try:
                writer.write(message.model_dump_json(exclude=set(_CARRIER_FIELDS)).encode())
                return writer.frame(Format.JSON, [])
            except PydanticSerializationError:  # a file's name that is not UTF-8, say
                pass
        return writer.frame(Format.PICKLE, _pickle(message, writer))
    finally:
        writer.close()


def fields_in(frame: Frame) -> tuple[object, object]:
    """Return a message's kind and fields, and close its frame.

    Raises:
        FrameError: when the payload is not as the header says.
        Unreadable: when it is, but cannot be read.
    """
    try:
        with open_body(frame) as body:
            match frame.header.meaning:
                case Format.JSON:
                    return _from_json(body, frame.layout.body)
                case Format.PICKLE:
                    return _unpickle(body, frame)
                case _:
                    version, unknown = frame.header.version, frame.header.format
                    raise Unreadable("?", f"this version knows no format {unknown} of version {version}")
    finally:
        frame.close()


def _pickle(message: Message, writer: PayloadWriter) -> list[pickle.PickleBuffer]:
    buffers: list[pickle.PickleBuffer] = []

    def keep_in_band(buffer: pickle.PickleBuffer) -> bool:
        with memoryview(buffer) as view:
            if len(buffers) == MAX_BUFFERS or view.nbytes < _SMALLEST_BUFFER or not view.contiguous:
                return True
        buffers.append(buffer)
        return False

    fields = {name: getattr(message, name) for name in type(message).model_fields if name not in _CARRIER_FIELDS}
    writer.write(f"{message.kind}\n".encode())
    pickle.Pickler(writer, protocol=5, buffer_callback=keep_in_band).dump(fields)
    return buffers


def _from_json(body: BinaryIO, size: int) -> tuple[object, object]:
    try:
        fields = from_json(body.read(size))
    except (ValueError, MemoryError) as error:
        raise Unreadable("?", f"it is not JSON: {error}") from error
    return (fields.get("kind"), fields) if isinstance(fields, dict) else ("?", fields)


def _unpickle(body: BinaryIO, frame: Frame) -> tuple[str, Any]:
    kind = body.readline(_LONGEST_KIND).decode("ascii", "replace").removesuffix("\n")
    try:
        return kind, pickle.Unpickler(body, buffers=buffers_of(frame)).load()  # noqa: S301 - by a process that is trusted
    except BaseException as error:  # noqa: BLE001 - what unpickling runs may raise even what would end a program
        why = "".join(traceback.format_exception_only(error)).strip()
        raise Unreadable(kind, f"it cannot be unpickled: {why}") from None
