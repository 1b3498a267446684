"""What the commands that start workers hand on to them."""

import os
from pathlib import Path

from click.testing import CliRunner

from outrider.client.cli import main


def test_a_project_does_not_become_a_place_where_every_program_looks_for_modules(monkeypatch, tmp_path):
    """Whoever has a `json.py` beside his tasks must not break the Python programs that he runs."""
    started = {}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "execv", lambda path, words: started.update(os.environ, words=words))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("OUTRIDER_TASKS", "")
    CliRunner().invoke(main, ["worker", "--tasks", "mine"], catch_exceptions=False)
    assert started["words"][1:3] == ["-m", "celery"]  # by -m, Python finds what lies in the working directory
    assert started["OUTRIDER_TASKS"] == "mine"
    assert "PYTHONPATH" not in started
    assert Path.cwd() == tmp_path
