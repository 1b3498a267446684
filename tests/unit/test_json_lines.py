"""Progress that is printed as JSON, among whatever else is printed."""

import pytest

from outrider import Progress
from outrider.communicators import JsonLines

FRAMES = JsonLines("frame", "frames", "frames")
FOUND = [
    ("done and total", FRAMES, '{"frame": 3, "frames": 12}\n', Progress(done=3, total=12, unit="frames")),
    ("done alone", FRAMES, '{"frame": 3}', Progress(done=3, unit="frames")),
    ("a total that is a number", JsonLines("share", 1.0), '{"share": 0.25}', Progress(done=0.25, total=1)),
    (
        "inner objects",
        JsonLines("at.frame", "of.frames"),
        '{"at": {"frame": 3}, "of": {"frames": 4}}',
        Progress(done=3, total=4),
    ),
    ("the last of many", FRAMES, '{"frame": 1}\n{"frame": 2}\n', Progress(done=2, unit="frames")),
    ("among log text", FRAMES, 'begin\n{"frame": 1}\nframe 2\n{"level": "info"}\n', Progress(done=1, unit="frames")),
    ("lines without line ends", FRAMES, '{"frame": 1}\r{"frame": 2}\r', Progress(done=2, unit="frames")),
    ("an unfinished line", FRAMES, '{"frame": 1}\n{"frame": 22', Progress(done=1, unit="frames")),
    ("a line that is cut at its begin", FRAMES, 'me": 1}\n', None),
    ("a line separator within a text", FRAMES, '{"name": "a\u2028b", "frame": 1}', Progress(done=1, unit="frames")),
    ("an object that is deep", FRAMES, '{"frame":' * 100_000, None),
    ("a number too large", FRAMES, '{"frame": 1' + "0" * 400 + "}", None),
    ("a number of too many digits", FRAMES, '{"frame": 1' + "0" * 5000 + "}", None),
    ("no number", FRAMES, '{"frame": "3"}', None),
    ("a truth", FRAMES, '{"frame": true}', None),
    ("infinite", FRAMES, '{"frame": Infinity}', None),
    ("not a number", FRAMES, '{"frame": NaN}', None),
    ("nothing", FRAMES, '{"frame": null}', None),
    ("a strange total", FRAMES, '{"frame": 3, "frames": "many"}', Progress(done=3, unit="frames")),
    ("no inner object", JsonLines("at.frame"), '{"at": 3, "frame": 4}', None),
    ("an array", FRAMES, '[{"frame": 3}]', None),
    ("no text", FRAMES, "", None),
]


@pytest.mark.parametrize(("reader", "text", "expected"), [row[1:] for row in FOUND], ids=[row[0] for row in FOUND])
def test_e4_progress_is_found_in_json_lines(reader, text, expected):
    assert reader.last(text) == expected


def test_only_so_many_lines_are_read_however_many_there_are(monkeypatch):
    read = []
    monkeypatch.setattr("outrider.communicators.output.json_lines.json.loads", lambda line: read.append(line) or {})
    FRAMES.last('{"frame": 1}\n' * 5000)
    assert 0 < len(read) <= 101
