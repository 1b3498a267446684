"""Progress by counting: each match once, however the text comes."""

import asyncio
import itertools
import re
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import eventually

from outrider import Progress
from outrider.communicators import PipeCommunicator, ProgressTally
from outrider.communicators.output.match_count import MatchCount

READS = r"Processed (?P<count>\d+) reads"


def tally(pattern: str, *pieces: bytes, **words) -> ProgressTally:
    reader = ProgressTally(pattern, **words)
    for piece in pieces:
        reader.feed("stdout", piece)
    return reader


COUNTED = [
    ("signs without line ends", r"\*", [b"0% |***", b"**"], 5),
    ("lines", "^done", [b"done a\nnot done\n", b"done b\n"], 2),
    ("lines that end in carriage returns", "frame", [b"frame 1\rframe 2\r"], 2),
    ("numbers in a group", READS, [b"Processed 100 reads in\nProcessed 50 reads in\n"], 150),
    ("a match that is cut", READS, [b"Processed 1", b"00 rea", b"ds in"], 100),
    ("a match that grows", r"at \d+", [b"at 1", b"0", b"0\nat 5"], 2),
    ("a line that is finished later", "done", [b"done", b" and done", b"\n"], 2),
    ("colours within", READS, [b"Processed \x1b[32m100\x1b[0m reads"], 100),
    ("colours that are cut", READS, [b"Processed \x1b[3", b"2m100\x1b", b"[0m reads"], 100),
    ("a letter that is cut", "■", ["■".encode()[:1], "■".encode()[1:]], 1),
    ("bytes that are no text", "x", [b"\xff\x00x\xfe", b"x"], 2),
    ("what is no number", r"(?P<count>\S+) reads", [b"many reads\nnan reads\ninf reads\n3 reads\n"], 3),
    ("a group that was not met", r"reads(?: (?P<count>\d+))?", [b"reads\nreads 3\n"], 3),
    ("a long line", r"\*", [b"*" * 100_000], 100_000),
    ("a long line of longer matches", "ab", [b"ab" * 10_001 + b"a", b"b"], 10_002),
    ("a long line, cut within a match", "abc|c", [b"abc" * 10_000], 10_000),
    ("a long line, cut within a number", r"n(?P<count>\d+)", [b"xx" + b"n100000" * 5000], 5000 * 100_000),
    ("much at once", READS, [b"Processed 2 reads\n" * 50_000], 100_000),
]


@pytest.mark.parametrize(
    ("pattern", "pieces", "expected"), [row[1:] for row in COUNTED], ids=[row[0] for row in COUNTED]
)
def test_e4_each_match_is_counted_once(pattern, pieces, expected):
    assert tally(pattern, *pieces).last("").done == expected


@given(
    lines=st.lists(
        st.sampled_from(["*", "***", "read 12", "x" * 3000, "■ read 7 ■", "\x1b[1m*\x1b[0m", ""]), max_size=30
    ),
    end=st.sampled_from(["\n", "\r", ""]),
    cuts=st.lists(st.integers(0, 100_000), max_size=40),
)
def test_e4_where_the_pieces_were_cut_does_not_matter(lines, end, cuts):
    data = end.join(lines).encode()
    pattern = re.compile(r"\*|read (?P<count>\d+)", re.MULTILINE)
    count = MatchCount(re.compile(r"\*|read", re.MULTILINE))
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for begin, stop in itertools.pairwise(places):
        count.feed(data[begin:stop])
    assert count.value == len(pattern.findall(re.sub("\x1b\\[[0-9]m", "", data.decode())))


def test_both_streams_add_up():
    reader = tally("x", b"xx")
    reader.feed("stderr", b"x")
    assert reader.last("").done == 3


def test_what_was_said_is_not_said_again():
    reader = tally("x", b"x", total=4, unit="steps")
    assert [reader.last(""), reader.last("")] == [Progress(done=1, total=4, unit="steps"), None]
    reader.feed("stdout", b"x")
    assert reader.last("") == Progress(done=2, total=4, unit="steps")


def test_nothing_is_no_progress():
    assert tally("x", b"nothing here").last("") is None


def test_a_count_never_goes_back():
    reader = tally("done$", b"done\ndone")
    assert reader.last("").done == 2
    reader.feed("stdout", b" with half of it\n")
    assert reader.last("") is None


def test_a_sum_that_is_no_finite_number_is_no_progress():
    assert tally(r"(?P<count>\d+)", b"1" + b"0" * 308 + b"\n", b"9" * 308 + b"\n" + b"9" * 308 + b"\n").last("") is None


async def _after_the_total_is_known(reader: ProgressTally) -> Progress | None:
    reader.feed("stdout", b"x")
    await asyncio.to_thread(eventually, lambda: reader._total, "the total is known")
    return reader.last("")


@pytest.mark.parametrize("total", ["nan", "inf", "-inf", "-5"])
def test_a_total_that_is_none_is_unknown(total):
    """A producer may have given it: a parameter that is a float takes all of these."""
    assert tally(r"\*", b"***", total=float(total)).last("") == Progress(done=3, total=0)
    asked = tally(r"\*", total=0.0)
    asked._learn_total(lambda: float(total))
    asked.feed("stdout", b"***")
    assert asked.last("") == Progress(done=3, total=0)


def test_a_total_that_is_computed_is_asked_for_once_beside_the_program():
    asked = []
    reader = ProgressTally("x", lambda: asked.append(1) or 7)
    assert asyncio.run(_after_the_total_is_known(reader)) == Progress(done=1, total=7)
    asyncio.run(_after_the_total_is_known(reader))
    assert asked == [1]


def test_a_total_that_cannot_be_computed_is_unknown_and_the_log_says_why(caplog):
    async def run():
        reader = ProgressTally("x", lambda: 1 / 0)
        reader.feed("stdout", b"x")
        await asyncio.to_thread(eventually, lambda: "total of the progress" in caplog.text, "it is logged")
        return reader.last("")

    assert asyncio.run(run()) == Progress(done=1)


@pytest.mark.parametrize("pattern", [r"\d+ reads", r"(?:\w+ )+reads"], ids=["digits", "words"])
@pytest.mark.parametrize("end", [b"", b"\n"], ids=["one line", "lines"])
def test_a_pattern_that_is_slow_on_long_lines_keeps_nobody_busy(pattern, end, caplog):
    begun = time.process_time()
    reader = tally(pattern, (b"1" * 4000 + end) * 250, b"\n3 reads")
    assert time.process_time() - begun < 2
    assert "characters are left out" in caplog.text
    assert reader.last("").done == 1, "and goes on after it"


def test_e6_a_million_lines_are_counted_each_of_them(tmp_path):
    """More than what is kept of the newest text between two looks by far."""

    async def run() -> tuple[float, float]:
        pipe = PipeCommunicator({"stdout": tmp_path / "out"}, ProgressTally(r"row \d+", total=10**6))
        await pipe.open()
        words = [sys.executable, "-c", "print('\\n'.join(f'row {n} of the frame' for n in range(10**6)))"]
        begun = time.process_time()
        program = subprocess.Popen(words, stdout=pipe.write_ends["stdout"])  # noqa: ASYNC220  # as the Executor does
        pipe.hand_over()
        seen = []
        while (message := await pipe.read()) is not None:
            seen += [message] if message.kind == "progress" else []
        program.wait()
        await pipe.close()
        assert seen == sorted(seen, key=lambda progress: progress.done)
        return seen[-1].done, time.process_time() - begun

    counted, seconds = asyncio.run(run())
    assert counted == 10**6
    assert seconds < 3  # measured: 0.3
