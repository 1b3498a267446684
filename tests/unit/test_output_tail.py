"""Lines from bytes that come in any pieces: bounded, printable, and every line either given or counted."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.communicators.output.output_tail import OutputTail


def lines_of(*pieces: bytes, final: bool = True, **bounds: int) -> tuple[str, ...]:
    tail = OutputTail(**bounds)
    for piece in pieces:
        tail.feed(piece)
    return tail.take(final=final).lines


LINES = [
    ("two lines", b"one\ntwo\n", ("one", "two")),
    ("an unfinished last line", b"one\ntwo", ("one", "two")),
    ("nothing", b"", ()),
    ("empty lines", b"\n\na\n", ("", "", "a")),
    ("Windows' line ends", b"one\r\ntwo\r\n", ("one", "two")),
    ("a line overwritten by carriage returns", b"10%\r50%\r100%\ndone\n", ("100%", "done")),
    ("progress that ends with a carriage return", b"10%\r50%\r", ("50%",)),
    ("UTF-8", "é€🧪\n".encode(), ("é€🧪",)),
    ("invalid UTF-8", b"a\xff\xfeb\n", ("a\ufffd\ufffdb",)),
    ("a character cut by the line's end", b"a\xe2\x82\nb\n", ("a\ufffd", "b")),
    ("NUL", b"a\0b\n", ("ab",)),
    ("tabs", b"a\tb\n", ("a\tb",)),
    ("colours", b"\x1b[1;31mred\x1b[0m\n", ("red",)),
    ("cursor movements", b"\x1b[2K\x1b[1Gline\n", ("line",)),
    ("a window title ended by BEL", b"\x1b]0;title\x07text\n", ("text",)),
    ("a window title ended by ST", b"\x1b]0;title\x1b\\text\n", ("text",)),
    ("a window title without an end", b"\x1b]0;title\n", ("",)),
    ("the control sequence of eight bits", "\x9b31mred\n".encode(), ("31mred",)),
    ("backspace and bell", b"a\x08\x07b\n", ("ab",)),
]


@pytest.mark.parametrize(("data", "expected"), [row[1:] for row in LINES], ids=[row[0] for row in LINES])
def test_bytes_become_the_lines_that_a_reader_would_see(data, expected):
    assert lines_of(data) == expected


@pytest.mark.parametrize(("data", "expected"), [row[1:] for row in LINES], ids=[row[0] for row in LINES])
def test_bytes_that_come_one_by_one_become_the_same_lines(data, expected):
    assert lines_of(*(bytes([byte]) for byte in data)) == expected


def test_an_unfinished_line_waits_for_its_end():
    tail = OutputTail()
    tail.feed(b"one\ntw")
    assert tail.take().lines == ("one",)
    tail.feed(b"o")
    assert tail.take().lines == ()
    tail.feed(b"\n")
    assert tail.take().lines == ("two",)
    assert tail.take(final=True).lines == ()


def test_a_character_may_be_cut_by_reads_with_looks_between():
    tail = OutputTail()
    given_lines: list[str] = []
    for byte in "€\n🧪\n".encode():
        tail.feed(bytes([byte]))
        given_lines += tail.take().lines
    assert given_lines == ["€", "🧪"]


def test_e4_the_text_has_no_colours_and_nothing_hides_behind_an_escape_sequence_without_end():
    tail = OutputTail()
    tail.feed(b"\x1b]0;title\r\x1b[1m10\x1b[0m%\r")
    assert tail.take().text == "\r10%\r"


@pytest.mark.parametrize("window", [4, 100], ids=["a flood", "a few"])
def test_of_a_buffer_only_what_is_filled_is_taken(window):
    tail = OutputTail(window=window)
    tail.feed(bytearray(b"a\nb\nold\n"), 4)
    new = tail.take(final=True)
    assert (new.lines, new.dropped) == (("a", "b"), 0)


def test_progress_without_line_ends_is_in_the_text_at_each_look():
    tail = OutputTail()
    tail.feed(b"10%\r")
    assert "10%" in tail.take().text
    tail.feed(b"20%\r")
    new = tail.take()
    assert "20%" in new.text
    assert (new.lines, new.dropped) == ((), 0)


def test_a_line_of_ten_megabytes_is_one_bounded_line():
    tail = OutputTail()
    tail.feed(b"before\n")
    for _ in range(1000):
        tail.feed(b"x" * 9_999 + b"y")
        assert len(tail._pending) <= 64 * 1024
    assert len(tail.take().text) <= 64 * 1024
    tail.feed(b"end\nafter\n")
    new = tail.take()
    assert [line[-4:] for line in new.lines] == ["yend", "fter"]
    assert new.lines[0].startswith("… x")
    assert len(new.lines[0]) <= 2002
    assert new.dropped == 0


def test_a_line_that_was_cut_says_so():
    assert lines_of(b"x" * 3000 + b"\n")[0] == "… " + "x" * 2000
    assert lines_of("🧪".encode() * 3000 + b"\n")[0].startswith("… 🧪")


def test_a_line_whose_beginning_was_lost_is_not_given_as_if_it_were_whole():
    first, *rest = lines_of(b"a" * 12 + b"\n" + b"b" * 12 + b"\n", window=16)
    assert rest in ([], ["b" * 12])
    assert first.startswith(("… ", "b"))


def test_a_line_of_the_longest_length_is_not_cut():
    assert lines_of(b"x" * 2000 + b"\n") == ("x" * 2000,)


def test_a_flood_leaves_its_newest_lines_and_a_count():
    tail = OutputTail()
    for number in range(100_000):
        tail.feed(b"line %d\n" % number)
    new = tail.take()
    assert new.lines == tuple(f"line {number}" for number in range(99_800, 100_000))
    assert new.dropped + len(new.lines) == 100_000


def test_one_read_larger_than_the_window_is_counted_as_well():
    tail = OutputTail(window=100)
    tail.feed(b"".join(b"line %d\n" % number for number in range(1000)))
    new = tail.take()
    assert new.lines[-1] == "line 999"
    assert all(line.startswith("line ") for line in new.lines)  # none begins in its middle
    assert new.dropped + len(new.lines) == 1000


def test_a_read_of_exactly_the_window_loses_nothing():
    assert lines_of(b"a\nb\n", window=4) == ("a", "b")


def test_the_last_lines_are_remembered_over_many_looks():
    tail = OutputTail(keep=3)
    for number in range(5):
        tail.feed(b"line %d\n" % number)
        tail.take()
    tail.feed(b"unfinished")
    tail.take(final=True)
    assert tuple(tail.last_lines) == ("line 3", "line 4", "unfinished")


def seen(data: bytes) -> list[str]:
    """Return the lines of bytes without escape sequences, said another way than the code does."""
    text = data.decode("utf-8", "replace")
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    shown = [line.rstrip("\r").split("\r")[-1] for line in lines]
    return ["".join(c for c in line if c == "\t" or unicodedata.category(c) != "Cc") for line in shown]


pieces = st.binary(max_size=30) | st.sampled_from([b"\n", b"\r", b"a\n", b"\r\n", b"\xe2", b"\x82\xac", b"\0", b"\n\n"])
plain_pieces = pieces.map(lambda data: data.replace(b"\x1b", b""))


@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(st.tuples(plain_pieces, st.booleans()), max_size=60))
def test_however_the_bytes_are_cut_the_lines_are_the_same(chunks):
    tail = OutputTail(max_lines=10_000)
    given_lines: list[str] = []
    dropped = 0
    for data, look in [*chunks, (b"", False)]:
        tail.feed(data)
        if look:
            new = tail.take()
            given_lines += new.lines
            dropped += new.dropped
    new = tail.take(final=True)
    assert [*given_lines, *new.lines] == seen(b"".join(data for data, _ in chunks))
    assert dropped + new.dropped == 0


@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(st.tuples(st.text("ab\n", max_size=40), st.booleans()), max_size=40))
def test_whatever_the_flood_every_line_is_given_or_counted(chunks):
    tail = OutputTail(window=16, max_lines=3)
    looks = []
    for text, look in chunks:
        tail.feed(text.encode())
        if look:
            looks.append(tail.take())
    looks.append(tail.take(final=True))
    whole = "".join(text for text, _ in chunks).split("\n")
    if whole[-1] == "":
        whole.pop()
    position = 0
    for new in looks:
        position += new.dropped
        for line in new.lines:
            assert whole[position].endswith(line.removeprefix("… "))
            position += 1
    assert position == len(whole)
