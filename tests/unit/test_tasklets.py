"""Tasklets are plain functions: they need no worker, no Redis and no Celery."""

import importlib.util
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from outrider.tasklets import Peak, plot_curve, strongest_peak

LABELS = {"title": "LaB6", "x_label": "q", "y_label": "counts"}


def test_the_strongest_peak_is_where_the_curve_is_highest():
    assert strongest_peak([1.0, 2.0, 3.0], [5.0, 9.0, 7.0]) == Peak(2.0, 9.0)


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


@pytest.fixture
def matplotlib():
    if importlib.util.find_spec("matplotlib") is None:
        reason = "matplotlib is not installed (extra plots)"
        pytest.fail(reason) if "CI" in os.environ else pytest.skip(reason)


@pytest.mark.parametrize(("name", "beginning"), [("curve.png", b"\x89PNG"), ("curve.svg", b"<?xml")])
@pytest.mark.usefixtures("matplotlib")
def test_the_suffix_says_the_format_of_a_plot(tmp_path, name, beginning):
    path = plot_curve([0.0, 1.0, 2.0], [1.0, 3.0, 2.0], tmp_path / name, **LABELS)
    assert path == tmp_path / name
    assert path.read_bytes().startswith(beginning)


@pytest.mark.usefixtures("matplotlib")
def test_a_plot_shows_its_labels(tmp_path):
    text = plot_curve([0.0, 1.0], [1.0, 3.0], tmp_path / "curve.svg", **LABELS).read_text()
    assert all(f"<!-- {label} -->" in text for label in LABELS.values())


@pytest.mark.usefixtures("matplotlib")
def test_a_plot_refuses_columns_of_different_length_and_leaves_no_file(tmp_path):
    with pytest.raises(ValueError, match="as many x as y, not 2 and 1"):
        plot_curve([0.0, 1.0], [1.0], tmp_path / "curve.png", **LABELS)
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_a_plot_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'outrider\[plots\]'"):
        plot_curve([0.0], [1.0], Path("curve.png"), **LABELS)


def test_importing_the_tasklets_loads_neither_matplotlib_nor_celery_nor_redis():
    code = "import sys, outrider.tasklets; print(*{'matplotlib', 'numpy', 'celery', 'redis'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == ""
