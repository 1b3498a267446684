"""Progress as programs print it."""

import pytest

from outrider import Progress
from outrider.communicators import ProgressPattern

FOUND = [
    ("done and total", r"(?P<done>\d+)/(?P<total>\d+)", "frame 3/12", Progress(done=3, total=12)),
    (
        "with a unit",
        r"(?P<done>\d+) of (?P<total>\d+) (?P<unit>\w+)",
        "3 of 12 frames",
        Progress(done=3, total=12, unit="frames"),
    ),
    ("done alone", r"Processed (?P<done>\d+) reads", "Processed 70 reads", Progress(done=70)),
    ("a percentage", r"(?P<percent>[\d.]+)\s*%", "12.5 %", Progress(done=12.5, total=100, unit="%")),
    ("the last of many", r"(?P<percent>\d+)%", "1%\r2%\r30%", Progress(done=30, total=100, unit="%")),
    ("no match", r"(?P<percent>\d+)%", "nothing here", None),
    ("no text", r"(?P<percent>\d+)%", "", None),
    ("what is no number", r"at (?P<done>\S+)", "at last", None),
    ("an optional total that is absent", r"(?P<done>\d+)(?:/(?P<total>\d+))?", "3", Progress(done=3)),
    ("an optional unit that is absent", r"(?P<done>\d+)(?: (?P<unit>\w+))?", "3", Progress(done=3)),
    (
        "either kind, by done",
        r"(?P<percent>\d+)%|(?P<done>\d+)/(?P<total>\d+)",
        "3/4",
        Progress(done=3, total=4),
    ),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), [row[1:] for row in FOUND], ids=[row[0] for row in FOUND])
def test_progress_is_found(pattern, text, expected):
    assert ProgressPattern(pattern).last(text) == expected


@pytest.mark.parametrize("pattern", [r"(?P<percent>\d+)?%", r"(?P<done>\d+)? done"], ids=["percent", "done"])
def test_a_match_without_its_number_is_no_progress(pattern):
    assert ProgressPattern(pattern).last("% done") is None


@pytest.mark.parametrize("text", ["nan%", "inf%", "-inf%", "1e999%"])
def test_what_is_no_finite_number_is_no_progress(text):
    """A JSON message cannot carry one, and a record that holds one cannot be read again."""
    assert ProgressPattern(r"(?P<percent>\S+)%").last(text) is None


def test_only_the_newest_text_is_looked_at():
    assert ProgressPattern(r"(?P<percent>\d+)%").last("1%" + "." * 10_000) is None


ROWS = r"of (?P<total>\S+) rows|row (?P<done>\d+)"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["an image of 12 rows\nrow 4"], Progress(done=4, total=12)),
        (["an image of 12 rows\n", "row 4", "row 8\nrow 9"], Progress(done=9, total=12)),
        (["an image of 12 rows\n" + "." * 10_000 + "row 4"], Progress(done=4, total=12)),
        (["an image of 12 rows\nrow 12\nan image of 7 rows\nrow 4"], Progress(done=4, total=7)),
        (["an image of many rows\nrow 4"], Progress(done=4)),
        (["an image of inf rows\nrow 4"], Progress(done=4)),
        (["an image of 12 rows"], None),
    ],
    ids=["at once", "later", "far before", "the next one", "no number", "infinite", "alone"],
)
def test_a_total_that_is_printed_alone_holds_for_what_follows(texts, expected):
    pattern = ProgressPattern(ROWS)
    assert [pattern.last(text) for text in texts][-1] == expected


@pytest.mark.parametrize(
    ("progress", "fraction"),
    [
        (Progress(done=3, total=12), 0.25),
        (Progress(done=0, total=12), 0.0),
        (Progress(done=13, total=12), 1.0),
        (Progress(done=3), None),
    ],
    ids=str,
)
def test_the_fraction_is_what_is_done_of_a_known_total(progress, fraction):
    assert progress.fraction == fraction


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress(done=3, total=12, unit="frames"), "progress: 3/12 frames"),
        (Progress(done=12.5, total=100, unit="%"), "progress: 12.5/100 %"),
        (Progress(done=70), "progress: 70"),
    ],
    ids=["done, total and unit", "a percentage", "done alone"],
)
def test_progress_reads_as_people_say_it(progress, words):
    assert str(progress) == words
