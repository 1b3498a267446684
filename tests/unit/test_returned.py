"""What a tasklet returns decides what happens."""

import csv
import dataclasses
import subprocess
import sys
from collections import OrderedDict, namedtuple
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from pydantic import BaseModel, TypeAdapter

import outrider
from outrider import File, NewParameters, Notice, PlotData, Series, Table
from outrider.tasklets import (
    FilePart,
    NoticePart,
    ParametersPart,
    Shown,
    SummaryPart,
    TablePart,
    TextPart,
    WarningPart,
    returned,
    shown,
)

PARTS = TypeAdapter(list[Shown])


@pytest.fixture
def show(tmp_path):
    """Show a value, and make sure that its parts survive JSON."""

    def show(value):
        parts = shown(value, tmp_path)
        assert PARTS.validate_json(PARTS.dump_json(parts)) == parts
        return parts

    return show


@pytest.fixture
def translations(monkeypatch):
    monkeypatch.setattr(returned, "_TRANSLATIONS", {})


def the_warning(parts) -> str:
    (part,) = parts
    assert isinstance(part, WarningPart)
    return part.text


def test_nothing_is_nothing(show):
    assert show(None) == show([]) == show([None, ()]) == []


def test_text_is_a_message(show):
    assert show("three peaks") == [TextPart(text="three peaks", characters=11)]


@pytest.mark.parametrize("number", [3, 2.5, True, np.float64(2.5), np.int32(3)])
def test_a_number_is_a_message(show, number):
    assert show(number) == [TextPart(text=str(number), characters=len(str(number)))]


def test_text_from_a_program_does_not_command_a_terminal(show):
    assert show("\x1b[31mred\x1b[0m\x07\tgo\r\non\udcff") == [TextPart(text="red\tgo\non?", characters=10)]


def test_long_text_is_whole_in_a_file(show):
    head, file = show("ä" * 8001)
    assert (len(head.text), head.text[-1], head.characters) == (8000, "…", 8001)
    assert file.path.read_text(encoding="utf-8") == "ä" * 8001
    assert (file.name, file.media_type) == ("text.txt", "text/plain")


def test_a_mapping_is_a_summary(show):
    value = OrderedDict(peaks=3, best={"q": 1.5, "names": ("a", "b")}, file=Path("a/b"), mean=np.float32(0.5))
    expected = {"peaks": 3, "best": {"q": 1.5, "names": ["a", "b"]}, "file": "a/b", "mean": 0.5}
    assert show(value) == [SummaryPart(values=expected)]


def test_a_summary_holds_what_json_cannot_say(show):
    (part,) = show({"nan": float("nan"), "inner": [np.inf], "array": np.arange(3), "odd": {1, 2} - {1}, 5: object})
    assert part.values == {"nan": "NaN", "inner": ["Infinity"], "array": [0, 1, 2], "odd": [2], "5": "<class 'object'>"}


def test_what_has_no_json_at_all_is_text_in_a_summary(show):
    loop: list[object] = []
    loop.append(loop)
    (part,) = show({"loop": loop, "bad": ["\udcff"], "worse\udcff": "\udcff\x1b[1m"})
    assert part.values == {"loop": "[[...]]", "bad": r"['\udcff']", "worse?": "?"}


def test_what_is_long_in_a_summary_is_shortened(show):
    (part,) = show({"long": "x" * 5000, "list": list(range(5000))})
    assert [len(value) for value in part.values.values()] == [1000, 1000]


def test_a_long_mapping_is_a_table(show):
    table, file = show({f"n{n}": n for n in range(300)})
    assert (table.columns, table.rows[1], table.total_rows) == (("name", "value"), ("n1", 1), 300)
    assert file.name == "table.csv"


def test_records_of_python_are_a_summary(show):
    @dataclasses.dataclass
    class Peak:
        q: float

    class Fit(BaseModel):
        q: float

    expected = [SummaryPart(values={"q": 1.5})]
    assert show(Peak(1.5)) == show(Fit(q=1.5)) == show(namedtuple("Found", ["q"])(1.5)) == expected  # noqa: PYI024


def test_a_table_is_a_table(show):
    assert show(Table(["q", "counts"], [[0.5, 3], [float("nan"), None]])) == [
        TablePart(columns=("q", "counts"), rows=((0.5, 3), ("nan", None)), total_rows=2, total_columns=2)
    ]


def test_a_long_table_is_whole_as_csv(show):
    table, file = show(Table(["n", "text"], [[n, "a,b"] for n in range(201)]))
    assert (len(table.rows), table.total_rows) == (200, 201)
    rows = list(csv.reader(file.path.read_text().splitlines()))
    assert (len(rows), rows[0], rows[-1]) == (202, ["n", "text"], ["200", "a,b"])
    assert file.media_type == "text/csv"


def test_a_wide_table_is_whole_as_csv(show):
    table, file = show(np.zeros((2, 60)))
    assert (len(table.columns), len(table.rows[0]), table.total_columns) == (50, 50, 60)
    assert [len(row) for row in csv.reader(file.path.read_text().splitlines())] == [60, 60, 60]


def test_a_long_cell_is_shortened(show):
    (table,) = show(Table(["text"], [["x" * 1000]]))
    assert len(table.rows[0][0]) == 200


def test_mappings_in_a_row_are_a_table(show):
    (table,) = show([{"q": 1, "w": 2}, {"q": 3, "note": "weak"}])
    assert (table.columns, table.rows) == (("q", "w", "note"), ((1, 2, None), (3, None, "weak")))


def test_arrays_are_tables(show):
    fields = np.array([(0.5, 3), (1.5, 4)], dtype=[("q", "f8"), ("counts", "i4")])
    assert show(fields)[0].columns == ("q", "counts")
    assert show(fields)[0].rows == ((0.5, 3), (1.5, 4))
    assert show(np.array([[1, 2]]))[0] == TablePart(columns=("0", "1"), rows=((1, 2),), total_rows=1, total_columns=2)
    assert show(np.array([1.5]))[0].rows == ((1.5,),)
    assert show(np.array(7)) == [TextPart(text="7", characters=1)]
    assert "an array of shape (1, 1, 1) is no table" in the_warning(show(np.zeros((1, 1, 1))))


class DataFrame:
    """As pandas's, seen from here."""

    __module__ = "pandas.core.frame"

    def __init__(self, columns, rows, index):
        self.columns, self.rows, self.index = columns, rows, index

    def __len__(self):
        return len(self.rows)

    def itertuples(self, index, name):
        assert (index, name) == (False, None)
        return iter(self.rows)

    def reset_index(self):
        rows = [(name, *row) for name, row in zip(self.index, self.rows, strict=True)]
        return DataFrame(["index", *self.columns], rows, RangeIndex())


class RangeIndex:
    """As pandas's: it only counts."""


def test_a_data_frame_is_a_table(show):
    assert show(DataFrame(["q"], [(0.5,), (1.5,)], RangeIndex()))[0].rows == ((0.5,), (1.5,))
    (named,) = show(DataFrame(["q"], [(0.5,)], ["a"]))
    assert (named.columns, named.rows) == (("index", "q"), (("a", 0.5),))


def test_a_file_is_registered_or_moved(show, tmp_path):
    path = tmp_path / "fit.json"
    path.write_text("{}")
    plain = FilePart(path=path, name="fit.json", media_type="application/json")
    assert show(path) == show(File(path)) == [plain]
    assert show(File(path, move_to=Path("fits"), name="the fit")) == [
        FilePart(path=path, name="the fit", media_type="application/json", move_to=Path("fits"))
    ]


def test_a_file_is_named_from_the_root(show, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.gz").write_text("")
    assert show(Path("a.gz")) == [FilePart(path=tmp_path / "a.gz", name="a.gz", media_type="application/octet-stream")]


def test_a_file_that_is_none_is_a_warning(show, tmp_path):
    assert the_warning(show(tmp_path / "no")).endswith("was returned, but it does not exist")
    assert the_warning(show(tmp_path)).endswith("was returned, but it is no regular file")


def test_a_notice_is_for_the_sinks(show, tmp_path):
    (tmp_path / "a.png").write_text("")
    notice, warning = show(Notice("done", "LaB6", (tmp_path / "a.png", tmp_path / "b.png")))
    assert notice == NoticePart(title="LaB6", text="done", attachments=(tmp_path / "a.png",))
    assert "b.png' was to be attached to a notice, but it is no file" in warning.text


def test_new_parameters_are_parameters(show):
    assert show(NewParameters(bins=500, frames=[Path("a")])) == [ParametersPart(values={"bins": 500, "frames": ["a"]})]
    assert show(NewParameters({"with-dash": 1})) == [ParametersPart(values={"with-dash": 1})]
    with pytest.raises(TypeError, match="NewParameters: an argument is no JSON"):
        NewParameters(bins=object())


def test_a_sequence_is_each_of_its_parts(show):
    kinds = [part.kind for part in show(["text", {"a": 1}, [Table(["a"], []), None], (1, object())])]
    assert kinds == ["text", "summary", "table", "text", "warning"]


def test_a_sequence_without_an_end_has_one(show):
    parts = show(["x"] * 10_000)
    assert len(parts) == 51
    assert parts[-1].text == "more than 50 things were returned; the rest is not shown"


def test_a_sequence_that_holds_itself_has_an_end(show):
    loop: list[object] = []
    loop.append(loop)
    assert "nested too deeply" in the_warning(show(loop))


@pytest.mark.parametrize("value", [object(), b"bytes", {1}, 1j, int, iter(())])
def test_an_unknown_type_is_a_warning(show, value):
    assert "which nobody knows how to show: return text, a mapping" in the_warning(show(value))


def test_what_fails_to_be_shown_is_a_warning_and_the_rest_is_shown(show):
    class Odd(dict):
        def items(self):
            raise RuntimeError("no items today")

    warning, text = show([Odd(a=1), "text"])
    assert "Odd cannot be shown: RuntimeError: no items today" in warning.text
    assert text == TextPart(text="text", characters=4)


class Faceless:
    @property
    def __class__(self):
        raise RuntimeError("no class today")


class Nameless(type):
    def __getattribute__(cls, name):
        raise RuntimeError("no name today")


class SpeechlessError(Exception):
    def __str__(self):
        raise RuntimeError("no word today")


class Speechless(dict):
    def items(self):
        raise SpeechlessError


class Fieldless(tuple):
    __slots__ = ()

    @property
    def _fields(self):
        raise RuntimeError("no fields today")


def without_a_name():
    return Nameless("Odd", (), {})()


@pytest.mark.parametrize(
    "make",
    [Faceless, without_a_name, lambda: Speechless(a=1), lambda: Fieldless((1,))],
    ids=["class", "name", "text", "fields"],
)
def test_what_even_fails_to_be_looked_at_is_a_warning_and_the_rest_is_shown(show, make):
    warning, text = show([make(), "text"])
    assert warning.kind == "warning"
    assert "cannot be shown" in warning.text
    assert text == TextPart(text="text", characters=4)


# Pictures


def test_a_figure_is_a_picture(show):
    figure = Figure()
    axes = figure.add_subplot()
    axes.plot([1, 2], [3, 4])
    (first,) = show(figure)
    (second,) = show(axes)
    assert first.path.read_bytes().startswith(b"\x89PNG")
    assert (first.name, first.media_type) == ("figure.png", "image/png")
    assert second.path.name == "figure-2.png"


def test_plot_data_are_a_picture(show, tmp_path):
    (part,) = show(PlotData((Series(np.arange(3), [1, 2, 3], "a"),), "LaB6", "q", "counts"))
    assert part.path.read_bytes().startswith(b"\x89PNG")
    assert (part.name, part.path) == ("LaB6", tmp_path / "plot.png")


def test_a_picture_that_fails_leaves_a_warning_and_no_file(show, tmp_path):
    assert "PlotData cannot be shown: ValueError" in the_warning(show(PlotData((), r"$\nonsense$")))
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_plot_data_are_numbers(show, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    warning, table = show(PlotData((Series([1], [2]), Series([3], [4], "b")), y_label="counts"))
    assert warning.text == "there is no picture: a plot needs matplotlib: pip install 'outrider[plots]'"
    assert (table.columns, table.rows) == (("curve", "x", "counts"), (("curve 1", 1, 2), ("b", 3, 4)))


class BaseFigure:
    """As plotly's, seen from here."""

    __module__ = "plotly.basedatatypes"
    has_browser = True

    def write_html(self, path, include_plotlyjs):
        assert include_plotlyjs is True
        Path(path).write_text("<html>")

    def write_image(self, path, **options):
        assert options == {"format": "png"}
        if not self.has_browser:
            raise ValueError("\nKaleido is missing\nmore")
        Path(path).write_bytes(b"\x89PNG")


def test_a_figure_of_plotly_is_a_page_and_a_picture(show):
    page, picture = show(type("Figure", (BaseFigure,), {})())
    assert (page.path.read_text(), page.media_type) == ("<html>", "text/html")
    assert (picture.path.read_bytes(), picture.media_type) == (b"\x89PNG", "image/png")


def test_where_plotly_makes_no_picture_there_is_a_page_and_a_warning(show, tmp_path):
    page, warning = show(type("Figure", (BaseFigure,), {"has_browser": False})())
    assert page.name == "figure.html"
    assert warning.text == "plotly made a page but no picture: Kaleido is missing"
    assert [path.name for path in tmp_path.iterdir()] == ["figure.html"]


# Users' own classes


class Spectrum:
    def __init__(self, title):
        self.title = title


class FineSpectrum(Spectrum):
    pass


@pytest.mark.usefixtures("translations")
def test_users_say_how_their_classes_are_shown(show):
    @outrider.shows(Spectrum)
    def as_summary(spectrum):
        return [{"title": spectrum.title}, "and text"]

    expected = [SummaryPart(values={"title": "LaB6"}), TextPart(text="and text", characters=8)]
    assert show(Spectrum("LaB6")) == show(FineSpectrum("LaB6")) == expected
    assert as_summary(Spectrum("a"))[1] == "and text"


@pytest.mark.usefixtures("translations")
def test_a_class_may_be_named_so_that_its_library_is_not_imported(show):
    dataset = type("Dataset", (), {"__module__": "xarray.core.dataset"})
    outrider.shows("xarray.Dataset")(lambda _: "a dataset")
    assert show(dataset()) == [TextPart(text="a dataset", characters=9)]


@pytest.mark.usefixtures("translations")
def test_a_users_word_counts_more_than_ours(show):
    outrider.shows(Table)(lambda table: f"{len(table.rows)} rows")
    assert show(Table(["a"], [[1]])) == [TextPart(text="1 rows", characters=6)]


@pytest.mark.usefixtures("translations")
def test_a_users_way_that_fails_or_never_ends_is_a_warning(show):
    outrider.shows(Spectrum)(lambda spectrum: 1 / 0)
    assert "Spectrum cannot be shown: ZeroDivisionError: division by zero" in the_warning(show(Spectrum("a")))
    outrider.shows(Spectrum)(lambda spectrum: spectrum)
    assert "nested too deeply" in the_warning(show(Spectrum("a")))


def test_showing_imports_no_library_that_the_value_is_not_of(tmp_path):
    code = (
        "import sys; from pathlib import Path; from outrider.tasklets import shown, Table\n"
        "shown(['a', {}, Table(['a'], [])], Path('.'))\n"
        "print(*{'numpy', 'pandas', 'matplotlib', 'plotly', 'celery'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == ""


def test_tables_and_series_are_as_wide_as_they_say():
    with pytest.raises(ValueError, match="row 2 has 1 values for 2 columns"):
        Table(["a", "b"], [[1, 2], [3]])
    with pytest.raises(ValueError, match="there is no column 'c'; there are a, b"):
        Table(["a", "b"], []).column("c")
    with pytest.raises(ValueError, match="a curve needs as many x as y, not 1 and 2"):
        Series([1], [1, 2])
