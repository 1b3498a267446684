"""What a task says about its progress and its buffering, and that nonsense is found when the class is written."""

import re
import types
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest

from outrider import FileGrowth, Flag, JsonProgress, NotAnArgument, Output, Stdout, Tally, ThirdPartyTask

AN_OUTPUT = Annotated[Path, Output()]


def define(annotation: Any = AN_OUTPUT, **variables: Any) -> type[ThirdPartyTask]:
    body = {"__annotations__": {"image": annotation}, "executable": "prog", "__module__": __name__, **variables}
    return types.new_class("Example", (ThirdPartyTask,), exec_body=lambda space: space.update(body))


GOOD = [
    None,
    r"(?P<percent>\d+)%",
    r"(?P<done>\d+) of (?P<total>\d+) (?P<unit>\w+)",
    JsonProgress("frame"),
    JsonProgress(done="at.frame", total="frames.all", unit="frames"),
    JsonProgress(done="share", total=1.0),
    FileGrowth("image"),
    FileGrowth("image", expected="20 MiB"),
    FileGrowth("image", expected=20),
    FileGrowth("image", expected=lambda task: 20, interval=timedelta(seconds=0.1)),
    Tally(r"\*"),
    Tally("done", total=51, unit="steps"),
    Tally(r"Processed (?P<count>\d+) reads", total=lambda task: None),
]


@pytest.mark.parametrize("progress", GOOD, ids=lambda value: str(value).partition("<")[0])
def test_progress_is_described_in_four_ways_or_not_at_all(progress):
    assert define(progress=progress).progress == progress


BAD = [
    (r"(?P<percent>\d+", "is no regular expression: missing )"),
    (r"\d+%", "needs a group named percent or done"),
    (r"(\d+)%", "needs a group named percent or done"),
    (r"(?P<total>\d+)", "needs a group named percent or done"),
    (r"(?P<percnt>\d+)%", "needs a group named percent or done"),
    (r"(?P<done>\d+) (?P<speed>\d+)", "needs a group named percent or done; it may have total and unit"),
    (re.compile("x"), "is neither a regular expression nor JsonProgress, FileGrowth or Tally"),
    (JsonProgress, "is neither a regular expression nor"),
    (JsonProgress(""), "needs the name of a field as done"),
    (JsonProgress("at..frame"), "needs the name of a field as done"),
    (JsonProgress(3), "needs the name of a field as done"),
    (JsonProgress("done", total=""), "needs the name of a field or a number as total"),
    (JsonProgress("done", total=None), "needs the name of a field or a number as total"),
    (FileGrowth("imgae"), "names no output: 'imgae'"),
    (FileGrowth("image", expected="much"), "needs a size as expected, such as 20 MiB"),
    (FileGrowth("image", expected=-1), "needs a size as expected"),
    (FileGrowth("image", interval=0.5), "needs a positive timedelta as interval"),
    (FileGrowth("image", interval=timedelta(0)), "needs a positive timedelta as interval"),
    (Tally("("), "is no regular expression: missing )"),
    (Tally(None), "is no regular expression"),
    (Tally(r"(?P<done>\d+)"), "may have a group named count, and no other"),
    (Tally(r"\**"), "would count nothing at all"),
    (
        Tally("x", total="steps"),
        "needs a number, the name of a field that holds one, or a function of the task as total",
    ),
    (Tally("x", total="image"), "needs a number, the name of a field that holds one"),
    (Tally("x", total=None), "needs a number, the name of a field that holds one"),
]


@pytest.mark.parametrize(("progress", "words"), BAD, ids=lambda value: str(value)[:40])
def test_e4_what_describes_no_progress_is_an_error_that_names_the_class(progress, words):
    with pytest.raises(TypeError) as refusal:
        define(progress=progress)
    assert str(refusal.value).startswith(f"Example: progress {progress!r} ")
    assert words in str(refusal.value)


def test_a_file_that_is_no_output_does_not_grow():
    with pytest.raises(TypeError, match="names no output"):
        define(Annotated[Path, Flag()], progress=FileGrowth("image"))


@pytest.mark.parametrize(
    ("expected", "size"),
    [(0, 0), (20, 20), ("20 MiB", 20 * 2**20), ("1kB", 1000), (lambda task: task.rows * 8, 24), (lambda _: None, 0)],
    ids=["unknown", "bytes", "MiB", "kB", "a function", "a function that does not know"],
)
def test_the_expected_size_is_what_is_said_or_computed(expected, size):
    class Writes(ThirdPartyTask):
        executable = "prog"
        rows: Annotated[int, NotAnArgument()] = 3

    assert FileGrowth("image", expected=expected).expected_bytes(Writes()) == size


@pytest.mark.parametrize("buffering", ["program", "line", "terminal"])
def test_p11_buffering_is_one_of_three(buffering):
    assert define(buffering=buffering).buffering == buffering


@pytest.mark.parametrize("buffering", ["lines", None, "", True], ids=repr)
def test_p11_any_other_is_an_error_that_names_the_class(buffering):
    with pytest.raises(TypeError, match=r"Example: buffering .* is none of program, line, terminal"):
        define(buffering=buffering)


def test_p11_what_goes_to_a_file_is_no_terminal():
    with pytest.raises(TypeError, match="Example: standard output goes to the file image, so it is no terminal"):
        define(Annotated[Path, Stdout()], buffering="terminal")
    define(Annotated[Path, Stdout()], buffering="line")


@pytest.mark.parametrize(
    ("total", "number"),
    [(0, 0), (51, 51), ("rows", 3), ("frames", 0), (lambda task: task.rows * 8, 24), (lambda _: None, 0)],
    ids=["unknown", "a number", "a field", "a field without a value", "a function", "a function that does not know"],
)
def test_the_total_of_a_tally_is_what_is_said_or_computed(total, number):
    class Counts(ThirdPartyTask):
        executable = "prog"
        progress = Tally("x", total=total)
        rows: Annotated[int, NotAnArgument()] = 3
        frames: Annotated[int | None, NotAnArgument()] = None

    assert Counts.progress.total_for(Counts()) == number


def test_a_total_that_is_no_number_is_an_error():
    with pytest.raises(TypeError, match="the total of the progress is no number: 'many'"):
        Tally("x", total=lambda _: "many").total_for(None)
