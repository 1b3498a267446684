"""The tasklets that come with Outrider are plain functions: they need no worker, no Redis and no Celery."""

import hashlib
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from outrider import Notice, PlotData, Series, Table
from outrider.tasklets import (
    Peak,
    Tasklet,
    checksum,
    concat_files,
    copy_file,
    filled,
    grep_text,
    key_values,
    link_file,
    load_tasklets,
    move_file,
    notify,
    parse_text,
    plot,
    plot_curve,
    read_table,
    strongest_peak,
    tasklet_calls,
)

LABELS = {"title": "LaB6", "x_label": "q", "y_label": "counts"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The working directory, as a job's."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(name: str, text: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*"))


def test_each_can_be_asked_for_by_a_job():
    known = load_tasklets()
    assert all(isinstance(tasklet, Tasklet) and tasklet.__doc__ for tasklet in known.values())
    assert [known[tasklet.name] for tasklet in (grep_text, plot, notify)] == [grep_text, plot, notify]


def test_words_alone_are_enough_to_run_one():
    written("a", "1\n")
    written("b", "2\n")
    (call,) = tasklet_calls("concat_files a b into=all.txt")
    args, kwargs = filled(call, concat_files)
    assert concat_files.run(*args, **kwargs).read_text() == "1\n2\n"


# Files


def test_files_are_concatenated_in_order():
    assert concat_files(written("b", "2"), written("a", "1")) == Path("concatenated")
    assert Path("concatenated").read_text() == "21"
    assert concat_files("a", into=Path("new/all")).read_text() == "1"


@pytest.mark.parametrize("into", ["a", "there"])
def test_nothing_is_written_over_what_is_there(into):
    written("there", "old")
    written("a", "1")
    with pytest.raises(FileExistsError, match=f"'{into}' is there already"):
        concat_files("a", into=Path(into))
    assert (Path("a").read_text(), Path("there").read_text()) == ("1", "old")


def test_when_a_part_is_missing_nothing_is_left():
    written("a", "1")
    with pytest.raises(FileNotFoundError, match="'b'"):
        concat_files("a", "b")
    with pytest.raises(ValueError, match="there are no files to concatenate"):
        concat_files()
    assert names() == ["a"]


@pytest.mark.parametrize("place", [copy_file, move_file, link_file])
def test_a_file_is_placed_at_a_path_or_in_a_folder(place):
    Path("folder").mkdir()
    assert place(written("a", "1"), Path("new/b")) == Path("new/b")
    assert Path("new/b").read_text() == "1"
    assert place(written("c", "3"), Path("folder")).read_text() == "3"
    assert {"folder/c", "new/b"} <= set(names())
    assert ("c" in names()) == (place is not move_file)
    assert Path("folder/c").is_symlink() == (place is link_file)


@pytest.mark.parametrize("place", [copy_file, move_file, link_file])
def test_a_file_takes_anothers_place_only_when_it_is_told_to(place):
    written("a", "1")
    written("b", "2")
    with pytest.raises(FileExistsError, match="'b' is there already"):
        place("a", "b")
    assert Path("b").read_text() == "2"
    assert place("a", "b", overwrite=True).read_text() == "1"


@pytest.mark.parametrize("place", [copy_file, move_file, link_file])
def test_a_file_does_not_take_its_own_place(place):
    written("a", "1")
    with pytest.raises(FileExistsError, match="'a' is 'a' itself"):
        place("a", ".", overwrite=True)
    assert Path("a").read_text() == "1"


@pytest.mark.parametrize("place", [copy_file, move_file, link_file])
def test_what_is_no_file_cannot_be_placed(place):
    Path("folder").mkdir()
    for source in ("folder", "missing"):
        with pytest.raises(FileNotFoundError, match=f"'{source}' is no file"):
            place(source, "b")
    assert names() == ["folder"]


def test_a_file_is_moved_to_another_file_system(monkeypatch, folder):
    shared = Path("/dev/shm") / folder.name
    if not Path("/dev/shm").is_dir() or Path("/dev/shm").stat().st_dev == folder.stat().st_dev:
        pytest.skip("there is no other file system")
    try:
        assert move_file(written("a", "1"), shared / "a").read_text() == "1"
        assert names() == []
    finally:
        (shared / "a").unlink(missing_ok=True)
        shared.rmdir()


def test_a_checksum_is_that_of_the_content():
    written("a", "1")
    written("b", "")
    assert checksum("a", Path("b")) == {
        name: hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in ("a", "b")
    }
    assert checksum("a", algorithm="md5") == {"a": "c4ca4238a0b923820dcc509a6f75849b"}
    with pytest.raises(ValueError, match="there is no algorithm 'sha0'; take sha256"):
        checksum("a", algorithm="sha0")


# Text

LOG = "start\nR = 0.182 at cycle 1\nwarn: R = nan\nR = 0.171 at cycle 12\nend"


def test_lines_are_found_by_a_pattern():
    written("log", LOG)
    assert grep_text("log", "cycle") == Table(
        ["line", "text"], [[2, "R = 0.182 at cycle 1"], [4, "R = 0.171 at cycle 12"]]
    )
    assert grep_text("log", "START", ignore_case=True).rows == ((1, "start"),)
    assert grep_text("log", "nothing").rows == ()


def test_named_groups_are_typed_columns():
    written("log", LOG)
    table = grep_text("log", r"R = (?P<r>\S+)( at cycle (?P<cycle>\d+))?")
    assert table.columns == ("line", "r", "cycle")
    assert table.rows[0] == (2, 0.182, 1)
    assert math.isnan(table.rows[1][1])
    assert table.column("cycle") == (1, None, 12)


def test_more_lines_than_are_wanted_are_an_error():
    written("log", LOG)
    with pytest.raises(ValueError, match="more than 1 lines of 'log' match 'R': narrow it"):
        grep_text("log", "R", most=1)


def test_facts_are_parsed_from_the_last_line_that_has_them():
    written("log", LOG)
    pattern = r"R = (?P<r>[\d.]+) at cycle (?P<cycle>\d+)"
    assert parse_text("log", pattern) == {"r": 0.171, "cycle": 12}
    assert parse_text("log", pattern, which="first") == {"r": 0.182, "cycle": 1}


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("R = ", "names no group; write"),
        ("(?P<r>x{9})", "no line of 'log' matches"),
        ("(?P<r>", "is no regular expression: "),
        ("x" * 1001, "a pattern has at most 1000 characters, not 1001"),
    ],
)
def test_a_pattern_that_cannot_help_is_an_error(pattern, problem):
    written("log", LOG)
    with pytest.raises(ValueError, match=problem):
        parse_text("log", pattern)


def test_bytes_that_are_no_text_and_lines_without_an_end_are_survived():
    Path("log").write_bytes(b"\xff" + b"x" * 200_000 + b"y\nR = 1\n")
    assert grep_text("log", r"R = (?P<r>\d)").rows == ((2, 1),)
    assert [len(text) for _, text in grep_text("log", "y|^x*$").rows] == [65536, 65536, 3394]


@pytest.mark.parametrize(
    ("word", "value"),
    [("12", 12), ("-3", -3), ("1e-3", 0.001), (".5", 0.5), ("0", 0), ("0.0", 0.0), ("inf", math.inf),
     ("0012", "0012"), ("1_000", "1_000"), ("1.2.3", "1.2.3"), ("", ""), ("9" * 30, 1e30), ("٣", "٣")],
)  # fmt: skip
def test_words_that_are_numbers_become_numbers(word, value):
    written("log", f"a = {word}\n")
    found = key_values("log")["a"]
    assert (found, type(found)) == (value, type(value))


def test_keys_and_values_are_found():
    written("fit.ini", "# a = 1\n[fit]\nwavelength = 1.54 # Cu\nname: x\n name = LaB6 = yes\n= 3\n")
    assert key_values("fit.ini") == {"wavelength": 1.54, "name": "LaB6 = yes"}
    assert key_values("fit.ini", separator=":", comment="") == {"name": "x"}
    with pytest.raises(ValueError, match=r"no line of 'fit\.ini' has a '@'"):
        key_values("fit.ini", separator="@")


def test_a_file_of_too_many_keys_is_an_error():
    written("many", "".join(f"k{n}=1\n" for n in range(10_001)))
    with pytest.raises(ValueError, match="has more than 10000 keys"):
        key_values("many")


# Tables


def test_a_table_is_read_with_its_header():
    written("xy.txt", "# pyFAI\n\n q   counts name\n 0.1 3 a\n 0.2  nan b\n")
    table = read_table("xy.txt")
    assert table.columns == ("q", "counts", "name")
    assert table.column("q") == (0.1, 0.2)
    assert (table.rows[0][1:], math.isnan(table.rows[1][1])) == ((3, "a"), True)


def test_columns_are_chosen_and_named():
    written("xy.txt", "title of the table\n0.1 3\n0.2 5\n")
    table = read_table("xy.txt", names=["q", "counts"], columns=["counts"], skip=1)
    assert table == Table(["counts"], [[3], [5]])


def test_csv_has_its_quotes():
    written("t.csv", 'q,"a, b"\n0.5," x,""y"" "\n,2\n')
    assert read_table("t.csv", separator=",") == Table(["q", "a, b"], [[0.5, 'x,"y"'], ["", 2]])


@pytest.mark.parametrize(
    ("text", "options", "problem"),
    [
        ("", {}, "there is no table in 't': it has no line with values"),
        ("# only\n", {}, "there is no table in 't'"),
        ("a b\n1 2\n3\n", {}, "line 3 of 't' has 1 values for 2 columns"),
        ("a b\n1 2\n", {"columns": ["c"]}, "'t' has no column 'c'; it has a, b"),
        ("a\n1\n2\n", {"most": 1}, "'t' has more than 1 rows"),
        ("a\n", {"separator": "::"}, "a separator is one character, not '::'"),
    ],
)
def test_what_is_no_table_is_an_error_that_says_where(text, options, problem):
    written("t", text)
    with pytest.raises(ValueError, match=problem):
        read_table("t", **options)


def test_the_strongest_peak_is_where_the_curve_is_highest():
    assert strongest_peak([1.0, 2.0, 3.0], [5.0, 9.0, 7.0]) == Peak(2.0, 9.0)
    assert strongest_peak(np.arange(3.0), np.array([5.0, 9.0, 7.0])) == Peak(1.0, 9.0)


def test_of_equal_peaks_the_first_counts():
    assert strongest_peak([1.0, 2.0, 3.0], [4.0, 9.0, 9.0]) == Peak(2.0, 9.0)


def test_a_curve_below_zero_has_a_peak_too():
    assert strongest_peak([1.0, 2.0], [-3.0, -2.0]) == Peak(2.0, -2.0)


@pytest.mark.parametrize("y", [[math.nan, 1.0, 2.0], [1.0, math.nan, 2.0], [1.0, 2.0, math.nan]])
def test_nan_is_no_peak_wherever_it_stands(y):
    assert strongest_peak([0.0, 1.0, 2.0], y).height == 2.0


@pytest.mark.parametrize(("x", "y"), [([], []), ([1.0], [math.nan])])
def test_without_a_number_there_is_no_peak(x, y):
    with pytest.raises(ValueError, match="there is no peak"):
        strongest_peak(x, y)


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="as many x as y, not 2 and 1"):
        strongest_peak([1.0, 2.0], [1.0])


# Plots


@pytest.mark.parametrize(("name", "beginning"), [("curve.png", b"\x89PNG"), ("curve.svg", b"<?xml")])
def test_the_suffix_says_the_format_of_a_plot(name, beginning):
    assert plot([0.0, 1.0, 2.0], [1.0, 3.0, 2.0], file=Path(name), **LABELS) == Path(name)
    assert Path(name).read_bytes().startswith(beginning)
    assert plot_curve([0.0, 1.0], [1.0, 3.0], Path(name), **LABELS) == Path(name)


def labels(*args, **options) -> set[str]:
    """Draw, and return the texts in the picture that are no numbers."""
    text = plot(*args, file=Path("plot.svg"), **options).read_text()
    found = {line.strip()[5:-4] for line in text.splitlines() if line.strip().startswith("<!-- ")}
    return {label for label in found if any(character.isalpha() for character in label)}


def test_a_plot_shows_its_labels():
    assert labels([0.0, 1.0], [1.0, 3.0], **LABELS) == {"LaB6", "q", "counts"}


def test_plot_data_keep_their_labels_unless_told_otherwise():
    data = PlotData((Series([1, 2], [3, 4], "fit"),), "LaB6", "q", "counts")
    assert labels(data) == {"LaB6", "q", "counts", "fit"}
    assert labels(data, title="other") == {"other", "q", "counts", "fit"}


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (Table(["q", "name", "counts"], [[0.1, "a", 3], [0.2, "b", 5]]), {"q", "counts"}),
        ({"columns": ["q", "counts"], "rows": [[0.1, 3]]}, {"q", "counts"}),
        ({"series": [{"x": [1], "y": [2], "label": "fit"}], "title": "LaB6"}, {"fit", "LaB6"}),
        ({"x": [1, 2], "y": {"first": [1, 2], "second": [3, 4]}}, {"first", "second"}),
        ([3, 1, 2], set()),
        (np.array([3, 1, 2]), set()),
    ],
)
def test_whatever_has_curves_is_plotted(what, expected):
    assert labels(what) == expected


@pytest.mark.parametrize(
    ("what", "problem"),
    [
        ("text", "cannot plot a value of type str; give x and y, PlotData or a Table"),
        (3, "cannot plot a value of type int"),
        ({"a": 1}, "cannot plot a mapping with the keys a"),
        (Table(["q"], []), "needs two columns, and this one has q"),
        (Table(["q", "name"], [[1, "a"]]), "none of the columns name holds numbers"),
    ],
)
def test_what_has_no_curves_is_an_error(what, problem):
    with pytest.raises(ValueError, match=problem):
        plot(what)


def test_a_plot_refuses_columns_of_different_length_and_leaves_no_file():
    with pytest.raises(ValueError, match="as many x as y, not 2 and 1"):
        plot([0.0, 1.0], [1.0])
    assert names() == []


def test_without_matplotlib_a_plot_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'outrider\[plots\]'"):
        plot([0.0], [1.0])


def test_a_plot_takes_what_came_before():
    (call,) = tasklet_calls(plot.s(title="LaB6"))
    table = Table(["q", "counts"], [[0.1, 3]])
    assert filled(call, plot, table) == ((table,), {"title": "LaB6"})


# Notices


def test_a_notice_has_text_a_title_and_files():
    assert notify("done", title="LaB6", attachments=[Path("plot.png")]) == Notice("done", "LaB6", (Path("plot.png"),))


def test_a_summary_becomes_lines_of_a_notice():
    assert notify({"peaks": 3, "best": 1.5}).text == "peaks: 3\nbest: 1.5"
    assert notify(None).text == "None"
