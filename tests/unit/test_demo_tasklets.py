"""The demonstration's own tasklets, as plain functions."""

import os

import pytest

from outrider.client.demo.frame_tasklets import check_frames, list_peaks

PEAKS = ([0, 1, 2, 3, 4, 5, 6], [1.0, 5.0, 1.0, 1.0, 11.0, 11.0, 1.0])


def test_peaks_rise_above_the_median():
    table = list_peaks(*PEAKS)
    assert table.columns == ("position", "height")
    assert table.rows == ((1, 4.0), (4, 10.0))
    assert list_peaks(*PEAKS, least=0.5).rows == ((4, 10.0),), "a lower one is left out"


def test_a_flat_curve_has_none():
    assert list_peaks([0, 1, 2], [1.0, 1.0, 1.0]).rows == ()


@pytest.fixture
def write_frame(tmp_path):
    if not os.environ.get("CI"):
        pytest.importorskip("fabio", reason="fabio is not installed (extra demo)")
    import fabio.tifimage
    import numpy as np

    def write(name, rows, columns):
        path = tmp_path / name
        fabio.tifimage.TifImage(data=np.ones((rows, columns), np.uint16)).write(str(path))
        return path

    return write


def test_frames_of_one_shape_pass(write_frame):
    assert check_frames([write_frame("a.tif", 4, 6), write_frame("b.tif", 4, 6)]) == {"frames": 2, "shape": "4 x 6"}


def test_a_frame_that_is_not_as_the_others_or_not_there_is_named(write_frame, tmp_path):
    frames = [write_frame("a.tif", 4, 6), write_frame("b.tif", 4, 5)]
    with pytest.raises(ValueError, match=r"b\.tif has the shape \(4, 5\), and .*a\.tif has \(4, 6\)"):
        check_frames(frames)
    with pytest.raises(OSError, match=r"c\.tif"):
        check_frames([frames[0], tmp_path / "c.tif"])
