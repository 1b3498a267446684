"""What an earlier attempt, or a script, may have left where the worker opens files: it keeps no worker, and leads nowhere."""

import os
from pathlib import Path
from typing import ClassVar

import pytest
from attempts import Shell, Sorts

from outrider import Environment, JobState
from outrider.communicators import fresh_file
from outrider.worker.streams import opened_input


def plant(kind: str, place: Path, victim: Path) -> int:
    """Put a pipe, which would keep who opens it waiting if nobody read it, or a link in a place."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if kind == "link":
        place.symlink_to(victim)
        return os.open(victim, os.O_RDONLY)
    os.mkfifo(place)
    return os.open(place, os.O_RDONLY | os.O_NONBLOCK)


@pytest.mark.parametrize("kind", ["pipe", "link"])
@pytest.mark.parametrize("name", ["stderr.log", "work/sorted.txt"])
def test_what_was_planted_in_place_of_a_stream_s_file_is_replaced(attempt, tmp_path, kind, name):
    source, victim = tmp_path / "words", tmp_path / "victim"
    source.write_text("b\na\n")
    victim.write_text("precious")
    job = attempt(Sorts(source=source))
    place = job.directory / "attempt-1" / name
    held = plant(kind, place, victim)
    try:
        outcome = job.run()
    finally:
        os.close(held)
    assert (outcome.state, outcome.error) == (JobState.SUCCEEDED, "")
    assert victim.read_text() == "precious"
    assert outcome.result == ["a", "b"]
    assert not place.is_fifo()
    assert not place.is_symlink()


def test_a_shell_is_not_started_where_a_link_leads(attempt, tmp_path):
    script = tmp_path / "empty.sh"
    script.write_text("")

    class Sourcing(Shell):
        environment: ClassVar[Environment] = Environment(source=(str(script),))

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    job = attempt(Sourcing(script="true"))
    job.directory.mkdir(parents=True)
    (job.directory / "attempt-1").symlink_to(elsewhere)
    outcome = job.run()
    assert (outcome.state, outcome.reason) == (JobState.FAILED, "environment")
    assert "a link or a file is where a folder should be" in outcome.error
    assert list(elsewhere.iterdir()) == []


def test_standard_input_that_became_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = os.open(tmp_path / "pipe", os.O_RDWR)
    try:
        with pytest.raises(OSError, match="it is a pipe, not a file"):
            opened_input(tmp_path / "pipe")
    finally:
        os.close(writer)


def test_a_device_stays_where_it_is():
    with open(fresh_file(Path("/dev/null")), "wb") as nothing:
        nothing.write(b"x")
    assert Path("/dev/null").is_char_device()
