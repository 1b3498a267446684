"""E10: which directories are removed, how, and which never are."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from support import eventually, run_python

from outrider.communicators import ArtifactStore, JobSpec, JobState
from outrider.config.errors import ArtifactUnavailable, BrokerUnavailable, JobNotFound
from outrider.worker.clean_up import CleanUp

DAY = 86400


class Ledger:
    """It knows the states that it is given, and of nothing else."""

    def __init__(self) -> None:
        self.states: dict[str, JobState] = {}
        self.asked: list[str] = []
        self.away = False

    def run_many(self, commands):
        if self.away:
            raise BrokerUnavailable("redis://h", "refused")
        ids = [command.words[1].rpartition(":")[2] for command in commands]
        self.asked += ids
        return [self.states.get(job_id, JobNotFound(job_id)) for job_id in ids]


class Place:
    """A folder of job directories, and what cleans it up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jobs = folder / "jobs"
        self.jobs.mkdir()
        self.ledger = Ledger()
        self.store = ArtifactStore(f"file://{folder}/store")

    def clean_up(self, keep: timedelta = timedelta(days=30), retention: timedelta = timedelta(days=7)) -> CleanUp:
        return CleanUp(self.jobs, self.store, self.ledger, keep, retention)

    def tick(self) -> list[str]:
        """Clean up once, and return what is left."""
        self.clean_up().tick()
        return sorted(path.name for path in self.jobs.iterdir())

    def job(self, job_id: str, *, days: float, closed: bool = True, state: JobState | None = None) -> Path:
        directory = self.jobs / job_id
        work = directory / "attempt-1" / "work"
        work.mkdir(parents=True)
        (work / "made.txt").touch()
        spec = JobSpec(id=job_id, task="t", version="1", parameters={}, queue="q")
        (directory / "parameters.json").write_text(spec.model_dump_json())
        if closed:
            (directory / "record.json").write_text("{}")
        if state:
            self.ledger.states[job_id] = state
        self.store.put(f"{job_id}/artifacts", "a.txt", [b"kept"])
        age(directory, days)
        return directory


def age(directory: Path, days: float) -> None:
    """Have everything in a directory be as old as that."""
    then = time.time() - days * DAY
    for path in (*directory.rglob("*"), directory):
        os.utime(path, (then, then), follow_symlinks=False)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_e10_directories_and_artefacts_of_jobs_closed_long_ago_are_removed(place):
    place.job("old", days=31)
    place.job("known", days=31, state=JobState.FAILED)
    place.job("young", days=29)
    assert place.tick() == ["young"]
    assert sorted(path.name for path in (place.folder / "store").iterdir()) == ["young"]


def test_the_age_is_that_of_the_record_whatever_was_done_to_the_files_since(place):
    directory = place.job("old", days=31)
    (directory / "outputs").mkdir()
    (directory / "outputs" / "note.txt").touch()
    assert place.tick() == []


def test_a_ledger_that_cannot_have_forgotten_a_job_yet_is_not_believed(place):
    place.job("elsewhere", days=6)
    place.job("forgotten", days=8)
    place.job("known", days=1, state=JobState.SUCCEEDED)
    place.clean_up(keep=timedelta(0)).tick()
    assert [path.name for path in place.jobs.iterdir()] == ["elsewhere"]


def test_folders_that_a_program_has_closed_to_all_are_removed():
    code = """
import os, pathlib, tempfile
from outrider.worker.work_folders import remove_tree
outer = pathlib.Path(tempfile.mkdtemp(dir="/tmp"))
if os.geteuid() == 0:  # rights mean nothing to root
    os.chown(outer, 65534, 65534)
    os.setuid(65534)
for mode in (0o000, 0o300, 0o500):
    inner = outer / "work" / "closed" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    for folder in (inner, inner.parent, outer / "work"):
        folder.chmod(mode)
    remove_tree(outer / "work")
outer.rmdir()
"""
    ended = run_python("-c", code, cwd=Path("/"), timeout=30)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("state", [state for state in JobState if not state.is_terminal])
@pytest.mark.parametrize("closed", [True, False], ids=["with a record", "without"])
def test_an_open_job_is_never_touched(place, state, closed):
    place.job("open", days=400, closed=closed, state=state)
    assert place.tick() == ["open"]


def test_a_job_without_a_record_goes_when_the_ledger_has_closed_or_forgotten_it_and_nothing_has_changed(place):
    place.job("lost", days=31, closed=False, state=JobState.LOST)
    place.job("forgotten", days=31, closed=False)
    (place.job("busy", days=31, closed=False) / "attempt-1" / "stdout.log").touch()
    (place.job("born", days=31, closed=False) / "attempt-2").mkdir()
    assert place.tick() == ["born", "busy"]


@pytest.mark.parametrize("what", ["no parameters", "of another", "not ours", "a folder", "a link"])
def test_a_folder_that_is_not_ours_is_never_touched(place, what):
    directory = place.job("precious", days=400)
    parameters = directory / "parameters.json"
    match what:
        case "no parameters":
            parameters.unlink()
        case "of another":
            parameters.write_text(parameters.read_text().replace("precious", "other"))
        case "not ours":
            parameters.write_text('{"id": "precious", "learning_rate": 0.1}')
        case "a folder":
            parameters.unlink()
            parameters.mkdir()
        case "a link":
            os.rename(parameters, place.folder / "elsewhere.json")
            parameters.symlink_to(place.folder / "elsewhere.json")
    age(directory, 400)
    assert place.tick() == ["precious"]
    assert (directory / "attempt-1" / "work" / "made.txt").exists()


def test_links_are_neither_followed_nor_taken_for_directories(place):
    precious = place.job("precious", days=1)
    old = place.job("old", days=31)
    (old / "attempt-1" / "link").symlink_to(precious)
    os.rename(place.job("moved", days=31), place.folder / "moved")
    (place.jobs / "moved").symlink_to(place.folder / "moved")
    os.rename(place.folder / "store" / "old", place.folder / "store" / "real")
    (place.folder / "store" / "old").symlink_to(place.folder / "store" / "real")
    place.tick()
    assert (precious / "attempt-1" / "work" / "made.txt").exists()
    assert (place.jobs / "moved").is_symlink()
    assert (place.folder / "moved" / "attempt-1" / "work" / "made.txt").exists()
    assert (place.folder / "store" / "real" / "artifacts").exists()


@pytest.mark.parametrize("name", [".hidden", "with space", "-dash", "x" * 129, ".removed-", ".removed-.."])
def test_what_is_called_as_no_job_is_left_alone(place, name):
    (place.jobs / name).mkdir()
    age(place.jobs / name, 400)
    assert place.tick() == [name]


def test_without_the_ledger_nothing_is_removed_and_later_it_is(place, caplog):
    place.job("old", days=31)
    place.ledger.away = True
    cleaning = place.clean_up()
    cleaning.tick()
    assert (place.jobs / "old").exists()
    assert "BrokerUnavailable" in caplog.text
    place.ledger.away = False
    cleaning.tick()
    cleaning.tick()
    assert not (place.jobs / "old").exists()


def test_without_a_folder_there_is_nothing_to_do(place, caplog):
    place.jobs.rmdir()
    place.clean_up().tick()
    assert not caplog.text


def test_what_somebody_began_to_remove_is_removed_whatever_the_ledger_says(place):
    directory = place.job("half", days=0)
    os.rename(directory, place.jobs / ".removed-half")
    assert place.tick() == []
    assert place.ledger.asked == []
    assert list((place.folder / "store").iterdir()) == []


def test_several_may_remove_at_the_same_time(place):
    place.job("old", days=31)
    first, second = place.clean_up(), place.clean_up()
    ((found,), (same,)) = (next(iter(one.expired())) for one in (first, second))
    assert first.remove(found) is True
    assert second.remove(same) is False
    assert place.tick() == []


class Down(ArtifactStore):
    def remove(self, folder: str) -> None:
        raise ArtifactUnavailable(folder, "refused")


def test_what_the_store_refuses_to_remove_is_found_again(place, caplog):
    place.job("old", days=31)
    store, place.store = place.store, Down("file:///nowhere")
    assert place.tick() == [".removed-old"]
    assert "ArtifactUnavailable" in caplog.text
    place.store = store
    assert place.tick() == []
    assert list((place.folder / "store").iterdir()) == []


def test_a_tick_is_short_and_the_next_goes_on_where_it_ended(place, monkeypatch):
    from outrider.worker import clean_up

    monkeypatch.setattr(clean_up, "_TICK_SECONDS", 0.0)
    for n in range(5):
        place.job(f"old-{n}", days=31)
    cleaning = place.clean_up()
    left = []
    for _ in range(5):
        cleaning.tick()
        left.append(len(list(place.jobs.iterdir())))
    assert left == [4, 3, 2, 1, 0]
    assert len(place.ledger.asked) == 5  # one search


def test_many_directories_are_looked_at_in_batches(place):
    for n in range(450):
        place.job(f"old-{n}", days=31)
    place.job("open", days=31, state=JobState.RUNNING)
    assert [len(batch) <= 200 for batch in place.clean_up().expired()] == [True] * 3
    eventually(lambda: place.tick() == ["open"], "all but the open one are removed, in one tick or in several")


def test_a_store_elsewhere_loses_the_jobs_artefacts_and_no_others():
    store = ArtifactStore("memory://clean-up/root")
    mine = store.put("job-1/artifacts", "a.txt", [b"mine"])
    sent = store.put("job-1/sent", "a.txt", [b"sent"])
    other = store.put("job-10/artifacts", "a.txt", [b"other"])
    store.remove("job-1")
    store.remove("job-1")
    assert bytes(store.read(other)) == b"other"
    for gone in (mine, sent):
        with pytest.raises(ArtifactUnavailable):
            store.read(gone)
