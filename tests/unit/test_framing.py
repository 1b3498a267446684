"""Frames: any message survives the journey, and whatever else comes is told apart without harm."""

import array
import contextlib
import os
import pickle
import socket
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider import Progress
from outrider.communicators import Artifact, Message, Raised, Report, Returned
from outrider.communicators.peers.descriptor_passing import receive_with_descriptors, send_with_descriptor
from outrider.communicators.peers.frame_dialect import FrameDialect
from outrider.communicators.peers.frame_reader import FrameReader
from outrider.communicators.peers.framing import (
    INLINE_BYTES,
    MAGIC,
    MAX_BUFFERS,
    Format,
    Frame,
    FrameError,
    Header,
    Layout,
    Outgoing,
)
from outrider.communicators.peers.memory_file import create_memory_file, seal_memory_file
from outrider.communicators.peers.message_frames import fields_in, frame_of
from outrider.communicators.peers.program_messages import ANY_MESSAGE, Unreadable, message_of

SIZES = [0, 1, 4095, 4096, 30_000, 70_000, 3_000_000]


@pytest.fixture(autouse=True)
def no_descriptor_stays_open():
    before = os.listdir("/proc/self/fd")
    yield
    assert os.listdir("/proc/self/fd") == before


def carried(outgoing: Outgoing) -> Frame:
    """Send a frame through a real socket."""
    ours, theirs = socket.socketpair()
    reader = FrameReader()
    with ours, theirs, contextlib.closing(outgoing), contextlib.closing(reader):
        data = memoryview(outgoing.data)
        while data:
            sent = send_with_descriptor(ours, data, outgoing.descriptor)
            outgoing.close()
            data = data[sent:]
            reader.feed(*receive_with_descriptors(theirs, 1 << 20))
        while (frame := reader.take()) is None:
            reader.feed(*receive_with_descriptors(theirs, 1 << 20))
        assert not reader.is_within_frame
        return frame


def journey(message: Message) -> Message:
    return message_of(*fields_in(carried(frame_of(message))), ANY_MESSAGE)


@pytest.mark.parametrize("size", SIZES)
def test_bytes_of_any_size_arrive(size):
    value = os.urandom(size)
    assert journey(Report(value=value)).value == value
    assert journey(Report(value=[bytearray(value), value.hex()])).value == [bytearray(value), value.hex()]


@pytest.mark.parametrize("size", SIZES)
def test_arrays_arrive_writable_and_aligned(size):
    values = {"a": np.arange(size, dtype="u1"), "b": np.arange(size, dtype=">f4"), "rest": "x" * size}
    arrived = journey(Report(value=values)).value
    for name in "ab":
        assert arrived[name].dtype == values[name].dtype
        assert (arrived[name] == values[name]).all()
        assert arrived[name].flags.aligned
        arrived[name][:] = 1
    assert arrived["rest"] == values["rest"]


def test_a_large_value_does_not_pass_through_the_socket():
    outgoing = frame_of(Report(value=np.zeros(10_000_000)))
    with contextlib.closing(outgoing):
        assert len(outgoing.data) < 1000
        assert outgoing.held >= 80_000_000


def test_what_json_can_say_is_said_in_json_and_what_it_cannot_is_not_lost():
    assert frame_of(Progress(done=1)).data.endswith(b'{"kind":"progress","done":1.0,"total":0.0,"unit":""}')
    half = Raised(error="no such file: \udcff")
    assert journey(half).error == half.error
    odd = Artifact(name="plot", path=Path(os.fsdecode(b"/\xff")))
    assert journey(odd).path == odd.path


def test_there_may_be_more_buffers_than_a_frame_has_room_for():
    values = [np.full(600, number) for number in range(MAX_BUFFERS + 10)]
    arrived = journey(Returned(value=values)).value
    assert all((a == b).all() for a, b in zip(arrived, values, strict=True))


def test_a_value_that_cannot_be_pickled_is_its_senders_error_and_holds_nothing():
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        frame_of(Report(value=[np.zeros(100_000), lambda: None]))


def test_nobody_can_change_what_was_sent():
    outgoing = frame_of(Report(value=np.zeros(10_000)))
    with contextlib.closing(outgoing):
        for change in (lambda fd: os.ftruncate(fd, 1), lambda fd: os.pwrite(fd, b"x", 0)):
            with pytest.raises(PermissionError):
                change(outgoing.descriptor)


@given(st.integers(0, 2**40), st.lists(st.integers(0, 2**40), max_size=5))
def test_buffers_begin_at_multiples_of_64_and_do_not_overlap(body, lengths):
    layout = Layout(body, tuple(lengths))
    end = body
    for length, span in zip(lengths, layout.spans, strict=True):
        assert span.start % 64 == 0
        assert 0 <= span.start - end < 64
        assert span.stop - span.start == length
        end = span.stop
    assert layout.size == end


@given(st.lists(st.binary(max_size=200), max_size=5), st.data())
def test_frames_are_found_however_the_bytes_are_cut(bodies, data):
    stream = b"".join(Header(Format.JSON, attached=False, layout=Layout(len(b))).encode() + b for b in bodies)
    reader, found = FrameReader(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        reader.feed(stream[:size])
        stream = stream[size:]
        while frame := reader.take():
            found.append(bytes(frame.payload))
    assert found == bodies
    assert not reader.is_within_frame


@settings(max_examples=500)
@given(st.binary(max_size=100), st.booleans())
def test_any_bytes_are_frames_or_are_told_apart(raw, begins_well):
    reader = FrameReader()
    reader.feed((MAGIC + b"\x01\x03\x00\x00" if begins_well else b"") + raw)
    with contextlib.suppress(FrameError):
        while frame := reader.take():
            assert len(frame.payload) <= INLINE_BYTES


@settings(max_examples=300)
@given(st.integers(0, 3), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_header_that_lies_takes_no_memory(attached, count, body, buffer):
    raw = MAGIC + bytes([1, Format.PICKLE, attached, 0]) + count.to_bytes(4, "big") + body.to_bytes(8, "big")
    tracemalloc.start()
    try:
        reader = FrameReader()
        with contextlib.suppress(FrameError):
            reader.feed(raw + buffer.to_bytes(8, "big") * 3)
            reader.take()
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_more_than_a_frame_may_hold_is_refused_before_it_comes():
    for header, complaint in (
        (Header(Format.JSON, attached=False, layout=Layout(INLINE_BYTES + 1)), "do not travel in a frame"),
        (Header(Format.PICKLE, attached=False, layout=Layout(1, (INLINE_BYTES,))), "do not travel in a frame"),
        (
            Header(Format.PICKLE, attached=True, layout=Layout(1, (1,) * (MAX_BUFFERS + 1))),
            "1024 buffers, not 1 and 1025",
        ),
    ):
        reader = FrameReader()
        reader.feed(header.encode()[:-1] if "1025" in complaint else header.encode())
        with pytest.raises(FrameError, match=complaint):
            reader.take()


def attached_frame(descriptor: int, body: int, *buffers: int) -> Frame:
    return Frame(Header(Format.PICKLE, attached=True, layout=Layout(body, buffers)), descriptor=descriptor)


def memory_file(size: int, *, sealed: bool = True) -> int:
    descriptor = create_memory_file()
    os.ftruncate(descriptor, size)
    if sealed:
        seal_memory_file(descriptor)
    return descriptor


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: memory_file(99), "has 99 bytes; the header says 128"),
        (lambda: memory_file(129), "has 129 bytes"),
        (lambda: memory_file(128, sealed=False), "not sealed"),
        (lambda: os.open("/dev/zero", os.O_RDONLY), "not that of a memory file"),
        (lambda: os.open("/etc/passwd", os.O_RDONLY), "not that of a memory file"),
        (lambda: os.eventfd(0), "not that of a memory file"),
    ],
    ids=["short", "long", "not sealed", "device", "file", "eventfd"],
)
def test_what_is_mapped_was_looked_at(make, complaint):
    with pytest.raises(FrameError, match=complaint):
        fields_in(attached_frame(make(), 64, 64))


def test_behind_a_payload_that_is_not_as_its_header_says_nothing_is_read():
    frames = [
        attached_frame(memory_file(99), 64),
        attached_frame(memory_file(64), 64),
        attached_frame(memory_file(64), 64),
    ]
    (failure,) = FrameDialect().read(frames)
    assert isinstance(failure, FrameError)


def test_a_frame_of_another_version_or_format_is_stepped_over():
    for header in (
        Header(Format.JSON, attached=False, layout=Layout(2), version=9),
        Header(77, attached=False, layout=Layout(2)),
    ):
        reader = FrameReader()
        reader.feed(header.encode() + b"{}" + MAGIC)
        with pytest.raises(Unreadable, match="knows no"):
            fields_in(reader.take())
        assert reader.take() is None
        assert reader.is_within_frame


def take_all(reader: FrameReader, connection: socket.socket) -> None:
    reader.feed(*receive_with_descriptors(connection, 1000))
    while frame := reader.take():
        frame.close()


@pytest.mark.parametrize("sent", [0, 2, 3], ids=["none", "two", "three"])
def test_a_frame_with_other_descriptors_than_it_says_is_refused_and_they_are_closed(sent):
    ours, theirs = socket.socketpair()
    pipe = os.pipe()
    reader = FrameReader()
    with ours, theirs, contextlib.closing(reader):
        raw = Header(Format.PICKLE, attached=True, layout=Layout(10)).encode()
        socket.send_fds(ours, [raw], [pipe[0]] * sent)
        for end in pipe:
            os.close(end)
        with pytest.raises(FrameError, match="descriptor"):
            take_all(reader, theirs)


def test_a_descriptor_that_no_frame_owns_is_refused():
    reader = FrameReader()
    with contextlib.closing(reader):
        inline = Header(Format.JSON, attached=False, layout=Layout(2)).encode() + b"{}"
        reader.feed(inline, [os.dup(0)])
        assert reader.take().payload == b"{}"
        with pytest.raises(FrameError, match="more descriptors"):
            reader.take()


def test_a_descriptor_waits_for_its_frame_behind_others():
    reader = FrameReader()
    inline = Header(Format.JSON, attached=False, layout=Layout(2)).encode() + b"{}"
    outgoing = frame_of(Report(value=b"x" * 100_000))
    reader.feed(inline + outgoing.data[:1], [outgoing.descriptor])
    assert reader.take().payload == b"{}"
    assert reader.take() is None
    reader.feed(outgoing.data[1:])
    assert fields_in(reader.take()) == ("report", {"kind": "report", "value": b"x" * 100_000})


def test_a_pickled_length_that_lies_takes_no_memory():
    body = b"report\n" + b"\x80\x05\x8e" + (2**44).to_bytes(8, "little") + b"x."
    frame = Frame(Header(Format.PICKLE, attached=False, layout=Layout(len(body))), bytearray(body))
    with pytest.raises(Unreadable, match=r"report.*cannot be unpickled"):
        fields_in(frame)


class Raises:
    """Raises when it is unpickled."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __reduce__(self):
        return _raise, (self.error,)


def _raise(error: BaseException) -> None:
    raise error


class Unprintable(Exception):
    """Raises also when it is shown."""

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "error",
    [ImportError("no module"), SystemExit(3), KeyboardInterrupt(), GeneratorExit(), MemoryError(), Unprintable()],
    ids=lambda error: type(error).__name__,
)
def test_whatever_unpickling_raises_is_one_message_that_cannot_be_read(error):
    with pytest.raises(Unreadable, match=type(error).__name__) as caught:
        journey(Returned(value=Raises(error)))
    assert caught.value.kind == "returned"


def test_typed_arrays_of_the_standard_library_arrive():
    value = array.array("d", range(100_000))
    assert journey(Report(value=value)).value == value


def test_a_buffer_with_gaps_is_refused_by_pickle_itself():
    with pytest.raises(pickle.PicklingError, match="contiguous"):
        frame_of(Report(value=pickle.PickleBuffer(memoryview(bytes(8192))[::2])))
