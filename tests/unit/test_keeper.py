"""What an attempt keeps: its own files, as they are, and nothing more once it is to end."""

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from support import eventually

from outrider import Artifact, ArtifactUnavailable
from outrider.communicators import ArtifactStore, Claim, JobSpec
from outrider.worker.job_directory import JobDirectory
from outrider.worker.keeper import Abandoned, Keeper


@pytest.fixture
def place(tmp_path: Path) -> JobDirectory:
    spec = JobSpec(id="job-1", task="t", version="1", parameters={}, queue="q")
    directory = JobDirectory(tmp_path / "jobs", Claim(spec=spec, token=1, attempt=1, worker="w"))
    directory.create({})
    return directory


@pytest.fixture
def keeper(place: JobDirectory, tmp_path: Path) -> Keeper:
    return Keeper(SimpleNamespace(store=ArtifactStore(f"file://{tmp_path}/store"), inline_limit=1024), place)


def test_a_file_is_kept_as_it_is(keeper, place, tmp_path):
    (place.work / "a.txt").write_text("kept")
    kept = keeper.keep(Artifact(name="a.txt"))
    assert (kept.path, kept.reference.size) == (None, 4)
    assert (tmp_path / "store" / kept.reference.key).read_text() == "kept"
    assert (place.work / "a.txt").exists()


def test_a_copy_that_was_made_for_keeping_is_gone_afterwards(keeper, place):
    place.copies.mkdir()
    (place.copies / "0-a.txt").write_text("kept")
    keeper.keep(Artifact(name="a.txt", path=place.copies / "0-a.txt"))
    assert not list(place.copies.iterdir())


@pytest.mark.parametrize("path", ["/etc/hostname", "../../../elsewhere", "link", "missing", "."])
def test_s2_what_lies_elsewhere_or_is_no_file_is_not_kept(keeper, place, path):
    (place.work / "link").symlink_to("/etc/hostname")
    with pytest.raises(ValueError, match="no file in the job's working directory"):
        keeper.keep(Artifact(name="a", path=Path(path)))


def test_x4_keeping_ends_when_the_attempt_is_to_end_and_leaves_nothing(keeper, place, tmp_path):
    with (place.work / "big").open("wb") as file:
        file.truncate(50 * 2**30)
    ended = threading.Event()

    def keep():
        with pytest.raises(ArtifactUnavailable, match="the attempt was stopped"):
            keeper.keep(Artifact(name="big"))
        ended.set()

    thread = threading.Thread(target=keep)
    thread.start()
    eventually(
        lambda: list((tmp_path / "store").rglob("*.part*")) or list((tmp_path / "store").rglob(".*")), "it is under way"
    )
    keeper.abandon()
    assert ended.wait(5)
    thread.join()
    assert not [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    with pytest.raises(Abandoned):
        keeper.pack(1)
