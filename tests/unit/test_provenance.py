"""What a result depends on: inputs as they were, versions, and what it costs to know them."""

import asyncio
import hashlib
import os
import platform
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
import pytest
from attempts import Shell
from own_tasks import Big, Ends

from outrider import NotAnArgument, ThirdPartyTask
from outrider.worker import file_hashes
from outrider.worker.file_hashes import FileHashes, FileIdentity, hash_file
from outrider.worker.input_files import InputFiles
from outrider.worker.package_versions import loaded_modules, package_versions


class Reads(ThirdPartyTask):
    """It has inputs, and does with them what its script says."""

    executable: ClassVar[str] = "sh"
    sources: Annotated[list[Path], NotAnArgument()]
    script: Annotated[str, NotAnArgument()] = "true"

    def argv(self):
        return "sh", "-c", self.script


def an_hour_old(path: Path, content: bytes = b"old") -> Path:
    path.write_bytes(content)
    os.utime(path, (time.time() - 3600,) * 2)
    return path


def identity(path: Path) -> FileIdentity:
    return FileIdentity.of(path, path.stat())


def inputs_of(job) -> dict:
    assert job.run().message == ""
    return job.record.provenance.inputs


def test_an_input_is_recorded_with_size_time_and_sha256(attempt, tmp_path):
    source = an_hour_old(tmp_path / "a", b"abc")
    (recorded,) = inputs_of(attempt(Reads(sources=[source]))).values()
    assert (recorded.size, recorded.modified.timestamp()) == (3, pytest.approx(source.stat().st_mtime, abs=1e-5))
    assert recorded.sha256 == hashlib.sha256(b"abc").hexdigest()


def test_without_hashing_size_and_time_are_still_recorded(attempt, tmp_path):
    (recorded,) = inputs_of(attempt(Reads(sources=[an_hour_old(tmp_path / "a")]), hash_inputs=False)).values()
    assert (recorded.size, recorded.sha256) == (3, "")


@pytest.mark.parametrize(
    "script", ["echo more >> {0}", "sleep 0.3; touch {0}", "sleep 0.3; rm {0}"], ids=["grown", "touched", "removed"]
)
def test_an_input_that_changes_meanwhile_has_no_sha256_and_the_size_that_it_had(attempt, tmp_path, script):
    source = an_hour_old(tmp_path / "a")
    (recorded,) = inputs_of(attempt(Reads(sources=[source], script=script.format(source)))).values()
    assert (recorded.size, recorded.sha256) == (3, "")


def test_a_folder_is_no_input_file(attempt, tmp_path):
    assert inputs_of(attempt(Reads(sources=[tmp_path]))) == {}


def test_very_many_inputs_are_recorded_in_part_and_the_rest_counted(attempt, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    sources = [an_hour_old(folder / f"{n}.cbf", b"%d" % n) for n in range(700)]
    job = attempt(Reads(sources=sources))
    recorded = inputs_of(job)
    assert (len(recorded), job.record.provenance.inputs_left_out) == (500, 200)
    assert [file.sha256 for file in recorded.values()] == [hashlib.sha256(b"%d" % n).hexdigest() for n in range(500)]
    assert len(job.record.provenance.model_dump_json()) < 150_000


def test_an_input_too_large_to_be_hashed_in_time_keeps_the_end_waiting_two_seconds_and_has_no_sha256(attempt, tmp_path):
    large = tmp_path / "large"
    large.touch()
    os.truncate(large, 2**42)
    os.utime(large, (0, 0))
    begun = time.monotonic()
    (recorded,) = inputs_of(attempt(Reads(sources=[large]))).values()
    assert (recorded.size, recorded.sha256) == (2**42, "")
    assert 2 <= time.monotonic() - begun < 4


@pytest.fixture
def reads(monkeypatch) -> list[str]:
    """The paths of all files that are read to be hashed."""
    paths: list[str] = []

    def counting(file, given_up, deadline=None):
        paths.append(file.path)
        return hash_file(file, given_up, deadline)

    monkeypatch.setattr(file_hashes, "hash_file", counting)
    return paths


def test_a_file_that_many_ask_for_is_read_once(tmp_path, reads):
    file = identity(an_hour_old(tmp_path / "a", b"abc"))

    async def main() -> None:
        hashes = FileHashes()
        at_once = await asyncio.gather(*(hashes.sha256(file) for _ in range(1000)))
        assert {*at_once, await hashes.sha256(file)} == {hashlib.sha256(b"abc").hexdigest()}

    asyncio.run(main())
    assert len(reads) == 1


def test_a_file_that_changed_is_read_again_and_so_is_one_that_is_still_young(tmp_path, reads):
    old, young = an_hour_old(tmp_path / "a", b"abc"), tmp_path / "b"
    young.write_bytes(b"xyz")

    async def main() -> None:
        hashes = FileHashes()
        await hashes.sha256(identity(old))
        os.utime(old, (time.time() - 1800,) * 2)
        for path in (old, young, young):
            assert await hashes.sha256(identity(path)) == hashlib.sha256(path.read_bytes()).hexdigest()

    asyncio.run(main())
    assert [Path(path).name for path in reads] == ["a", "a", "b", "b"]


def test_only_so_many_files_are_remembered(tmp_path, reads):
    files = [identity(an_hour_old(tmp_path / str(n))) for n in range(3)]

    async def main() -> None:
        hashes = FileHashes(remembered=2)
        for file in (*files, files[2], files[0]):
            await hashes.sha256(file)

    asyncio.run(main())
    assert [Path(path).name for path in reads] == ["0", "1", "2", "0"]


def test_reading_goes_on_while_one_still_waits_and_stops_when_nobody_does(tmp_path):
    endless = tmp_path / "endless"
    endless.touch()
    os.truncate(endless, 2**42)
    ended = threading.Event()

    async def main() -> None:
        hashes, file = FileHashes(), identity(endless)
        waiting = [asyncio.create_task(hashes.sha256(file)) for _ in range(2)]
        await asyncio.sleep(0.1)
        reading = hashes._readings[file]
        waiting[0].cancel()
        await asyncio.wait(waiting[:1])
        assert not reading.given_up.is_set()
        waiting[1].cancel()
        await asyncio.wait(waiting)
        assert reading.given_up.is_set()
        assert not hashes._readings
        ended.set()

    asyncio.run(main())  # it joins the threads: were the file still read, it would not end
    assert ended.is_set()


@pytest.mark.parametrize("kind", ["pipe", "folder", "nothing"])
def test_what_is_no_file_has_no_sha256(tmp_path, kind):
    path = tmp_path / "a"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    assert hash_file(FileIdentity(str(path), 0, 0, 0, 0), threading.Event()) == ""


def test_the_record_names_the_system_python_and_the_packages_of_the_process(attempt):
    job = attempt(Shell(script="true"))
    job.run()
    known = job.record.provenance
    assert (known.platform, known.python_version) == (platform.platform(), platform.python_version())
    assert known.packages["pydantic"] == version("pydantic")
    assert known.packages["numpy"] == np.__version__  # this process has it loaded
    assert "click" not in known.packages or "click" in sys.modules


class ReadsLate(Shell):
    def read_result(self, run) -> str:
        import honest_package  # noqa: F401  what is imported only here counts as well

        return "read"


def test_a_package_that_only_reading_the_result_imports_is_recorded(attempt, tmp_path, monkeypatch):
    (tmp_path / "honest_package.py").write_text("")
    facts = tmp_path / "honest-2.7.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: honest\nVersion: 2.7\n")
    (facts / "top_level.txt").write_text("honest_package\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    package_versions.cache_clear()
    try:
        job = attempt(ReadsLate(script="true"))
        assert job.run().result == "read"
    finally:
        package_versions.cache_clear()
        sys.modules.pop("honest_package", None)
    assert job.record.provenance.packages["honest"] == "2.7"


def test_a_first_party_tasks_packages_are_those_of_its_own_process(attempt):
    job = attempt(Big(size=80))
    assert job.run().state == "succeeded"
    assert job.record.provenance.packages["numpy"] == np.__version__
    assert "pytest" in loaded_modules()
    assert "pytest" not in job.record.provenance.packages


def test_a_first_party_task_that_made_no_result_names_no_packages(attempt):
    job = attempt(Ends(how="raise"))
    assert job.run().reason == "exception"
    assert job.record.provenance.packages == {}
    assert job.record.provenance.platform


def test_a_job_pays_little_for_the_packages(tmp_path):
    package_versions().load()
    package_versions().of(loaded_modules())
    begun = time.perf_counter()
    for _ in range(200):
        package_versions().of(loaded_modules())
    assert (time.perf_counter() - begun) / 200 < 0.002


def test_ten_thousand_inputs_are_looked_at_quickly(tmp_path):
    source = an_hour_old(tmp_path / "a")
    begun = time.perf_counter()
    inputs = InputFiles([source, *(Path(f"missing-{n}") for n in range(10_000))], tmp_path)
    assert time.perf_counter() - begun < 1
    assert (len(inputs.recorded()), inputs.left_out) == (1, 9501)
