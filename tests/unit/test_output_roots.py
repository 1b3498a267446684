"""In which folders a job's outputs go, wherever links lead."""

import os
import shutil
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from attempts import OUTSIDE, Attempt, run_or_refused

from outrider import (
    FileGrowth,
    Flag,
    Output,
    Positional,
    ProgramRun,
    Progress,
    Stdout,
    ThirdPartyTask,
)
from outrider.config.errors import Superseded


class Writes(ThirdPartyTask):
    executable: ClassVar[str] = "sh"
    script: Annotated[str, Flag("-c")] = 'printf "%s" "$0" > "$0"'
    made: Annotated[Path, Output(), Positional()]

    def read_result(self, run: ProgramRun) -> str:
        return run.outputs["made"].read_text()


GOALS = ["root/new", "root/file", "root/a/b/new", "root/inner/new", "outside/../root/new", "root/sub/../x/new"]
NO_GOALS = [*OUTSIDE, "root/outer/new", "root/twice/a/new", "root/../new"]


@pytest.mark.parametrize("path", GOALS)
def test_p5_an_output_may_be_placed_in_a_root(attempt, root, path):
    """The program writes it in its own attempt's directory, and is told so."""
    goal = root.parent / path
    job = attempt(Writes(made=goal), output_roots=(root,))
    outcome = job.run()
    assert outcome.message == ""
    assert outcome.result == goal.read_text() == f"outputs/made/{goal.name}"
    assert outcome.outputs["made"].path == Path(os.path.realpath(goal))
    assert job.record.run.argv[-1] == f"outputs/made/{goal.name}"
    assert not (job.directory / "attempt-1/work/outputs/made" / goal.name).exists()


@pytest.mark.parametrize("path", [path for path in NO_GOALS if path != "root/out"])
def test_p5_an_output_elsewhere_is_refused_before_the_program_starts(attempt, root, path):
    before = snapshot(root.parent)
    outcome = run_or_refused(attempt, Writes(made=root.parent / path), output_roots=(root, root.parent / "other"))
    assert (outcome.state, outcome.reason) == ("failed", "validation")
    assert f"the output {root.parent / path}" in outcome.error
    assert "OUTRIDER_OUTPUT_ROOTS, which names" in outcome.error
    assert snapshot(root.parent) == before


def snapshot(folder: Path) -> dict[str, str]:
    """Return all files but the jobs'."""
    files = [path for path in folder.rglob("*") if path.is_file() and "jobs" not in path.relative_to(folder).parts]
    return {str(path): path.read_text() for path in files}


def test_without_roots_outputs_stay_with_the_job(attempt, root):
    outcome = run_or_refused(attempt, Writes(made=root / "new"))
    assert (outcome.reason, "OUTRIDER_OUTPUT_ROOTS, which names no folder" in outcome.error) == ("validation", True)


@pytest.mark.parametrize("name", ["out", "dangling", "loop", "link"])
def test_s2_a_link_in_an_outputs_place_is_replaced_and_not_followed(attempt, root, name):
    assert run_or_refused(attempt, Writes(made=root / name), output_roots=(root,)).message == ""
    assert not (root / name).is_symlink()
    assert (root.parent / "outside/file").read_text() == (root / "sub/file").read_text() == "content\n"
    assert not (root.parent / "nothing").exists()


@pytest.mark.parametrize(("path", "words"), [("sub", "is a folder; name a file"), ("file/new", "cannot be written")])
def test_an_output_that_cannot_be_there_is_refused_before_the_program_starts(attempt, root, path, words):
    outcome = run_or_refused(attempt, Writes(made=root / path), output_roots=(root,))
    assert (outcome.reason, words in outcome.error) == ("validation", True)


def test_s2_a_link_that_the_program_puts_in_the_way_is_not_followed(attempt, root):
    (root / "day").mkdir()
    swap = f"echo x > $0; rmdir {root}/day; ln -s {root.parent}/outside {root}/day"
    outcome = attempt(Writes(script=swap, made=root / "day" / "new"), output_roots=(root,)).run()
    assert (outcome.state, outcome.reason) == ("failed", "environment")
    assert f"which leads to {root.parent}/outside/new, lies in none of OUTRIDER_OUTPUT_ROOTS" in outcome.error
    assert not (root.parent / "outside/new").exists()
    assert outcome.exit.exit_code == 0


def test_s2_an_output_that_is_a_link_out_of_the_job_is_refused(attempt, root):
    outcome = attempt(Writes(script=f"ln -s {root}/file $0", made=root / "new"), output_roots=(root,)).run()
    assert (outcome.reason, "link that leads out" in outcome.error) == ("missing_output", True)
    assert not (root / "new").exists()


@pytest.fixture
def other_device(tmp_path) -> Iterator[Path]:
    folder = Path("/dev/shm") / f"outrider-{uuid.uuid4().hex}"
    folder.mkdir()
    if folder.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("/dev/shm is on the same device as the temporary files")
    yield folder
    shutil.rmtree(folder)


class WritesTwo(Writes):
    again: Annotated[Path, Output(), Positional()]


def test_an_output_goes_to_another_device_and_leaves_nothing_behind(attempt, other_device):
    script = 'echo x > "$0"; chmod 640 "$0"; ln -s ../made/one "$1"'
    task = WritesTwo(script=script, made=other_device / "a/one", again=other_device / "two")
    job = attempt(task, output_roots=(other_device,))
    assert job.run().message == ""
    assert sorted(path.name for path in other_device.rglob("*")) == ["a", "one", "two"]
    assert [(other_device / name).read_text() for name in ("a/one", "two")] == ["x\n", "x\n"]
    assert (other_device / "a/one").stat().st_mode & 0o777 == 0o640
    assert list((job.directory / "attempt-1/work/outputs/made").iterdir()) == []


def test_two_fields_may_name_one_place(attempt, root):
    script = 'test "$0" = "$1" && echo x > "$0"'
    outcome = run_or_refused(
        attempt, WritesTwo(script=script, made=root / "new", again=root / "new"), output_roots=(root,)
    )
    assert outcome.message == ""
    assert {name: output.path for name, output in outcome.outputs.items()} == dict.fromkeys(
        ("made", "again"), root / "new"
    )


def test_r3_a_stale_attempt_places_nothing(attempt, root):
    async def lose_the_claim(job: Attempt) -> None:
        await job.running()
        job.ledger.records.tokens["job-1"] += 1

    job = attempt(Writes(script="sleep 0.6; echo stale > $0", made=root / "new"), output_roots=(root,))
    with pytest.raises(Superseded):
        job.run(lose_the_claim)
    assert not (root / "new").exists()


def test_the_program_of_an_earlier_attempt_cannot_bend_the_way_of_a_later_one(attempt, tmp_path):
    """Jobs' directories are no secret: whoever runs before may leave links in them."""
    (tmp_path / "jobs" / "job-1").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "jobs/job-1/attempt-1").symlink_to(tmp_path / "elsewhere")
    outcome = attempt(Writes(made="made")).run()
    assert (outcome.state, outcome.reason) == ("failed", "environment")
    assert "a link or a file is where a folder should be" in outcome.error
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_s2_outputs_do_not_follow_a_link_that_the_program_made_of_their_folder(attempt, root):
    script = f"echo x > $0; ln -s {root}/sub ../../outputs"
    outcome = attempt(Writes(script=script, made="file")).run()
    assert (outcome.state, outcome.reason) == ("failed", "environment")
    assert (root / "sub/file").read_text() == "content\n"


class Streams(ThirdPartyTask):
    executable: ClassVar[str] = "echo"
    table: Annotated[Path, Stdout()]


def test_standard_output_may_be_placed_in_a_root(attempt, root):
    assert run_or_refused(attempt, Streams(table=root / "a/table"), output_roots=(root,)).message == ""
    assert (root / "a/table").read_text() == "\n"


class Grows(Writes):
    progress: ClassVar[Any] = FileGrowth("made", interval=timedelta(seconds=0.05))


def test_e4_a_growing_output_is_watched_where_the_program_writes_it(attempt, root):
    job = attempt(Grows(script="head -c 1048576 /dev/zero > $0", made=root / "new"), output_roots=(root,))
    assert job.run().state == "succeeded"
    assert job.said(Progress)[-1].done == 1
