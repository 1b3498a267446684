"""In which folders a job reads, writes and works, wherever links lead."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from attempts import Attempt
from pydantic import BaseModel

from outrider import (
    FileGrowth,
    Flag,
    NotAnArgument,
    Outcome,
    Output,
    Positional,
    ProgramRun,
    Progress,
    Stdin,
    Stdout,
    Task,
    ThirdPartyTask,
    WorkingDirectory,
)
from outrider.config.errors import Superseded


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that is allowed, with a way in and ways out."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "outside" / "deep").mkdir(parents=True)
    for folder in (root, root / "sub", tmp_path / "outside"):
        (folder / "file").write_text("content\n")
    (root / "link").symlink_to("sub/file")
    (root / "inner").symlink_to(root / "sub")
    (root / "out").symlink_to(tmp_path / "outside" / "file")
    (root / "outer").symlink_to(tmp_path / "outside")
    (root / "twice").symlink_to("outer")
    (root / "dangling").symlink_to(tmp_path / "nothing")
    (root / "loop").symlink_to("loop")
    (tmp_path / "in").symlink_to(root / "file")
    (tmp_path / "rooted").mkdir()
    (tmp_path / "rooted" / "file").write_text("its name begins like the root's\n")
    return root


def run(attempt: Callable[..., Attempt], task: ThirdPartyTask, **changes: Any) -> Outcome:
    """Carry it out, and make sure that a refusal came before the program."""
    job = attempt(task, **changes)
    outcome = job.run()
    if outcome.reason == "validation":
        assert job.record.run is None
    return outcome


# --- inputs


class Wants(BaseModel):
    path: Path


class Reads(ThirdPartyTask):
    executable: ClassVar[str] = "true"
    one: Annotated[Path | None, Positional()] = None
    many: Annotated[list[Path], Flag()] = []
    fed: Annotated[Path | None, Stdin()] = None
    named: Annotated[dict[str, Path], NotAnArgument()] = {}
    nested: Annotated[Wants | None, NotAnArgument()] = None


SHAPES: dict[str, Callable[[Path], Any]] = {
    "one": lambda path: path,
    "many": lambda path: [path],
    "fed": lambda path: path,
    "named": lambda path: {"it": path},
    "nested": lambda path: Wants(path=path),
}
INSIDE = ["root/file", "root/sub", "root/link", "root/inner/file", "in", "root/sub/../file", "outside/../root/file"]
OUTSIDE = ["outside/file", "root/out", "root/outer/file", "root/twice/file", "root/../outside/file", "rooted/file"]


@pytest.mark.parametrize("path", INSIDE)
def test_s2_an_input_may_lie_in_a_root_by_whatever_way(attempt, root, path):
    assert run(attempt, Reads(many=[root.parent / path]), input_roots=(root,)).message == ""


@pytest.mark.parametrize("path", OUTSIDE)
def test_s2_an_input_elsewhere_is_refused_with_where_it_leads(attempt, root, path):
    outcome = run(attempt, Reads(one=root.parent / path), input_roots=(root, root.parent / "other"))
    assert (outcome.state, outcome.reason) == ("failed", "validation")
    assert f"the input {root.parent / path}" in outcome.error
    assert os.path.realpath(root.parent / path) in outcome.error
    assert f"OUTRIDER_INPUT_ROOTS, which names {root} and" in outcome.error


@pytest.mark.parametrize("field", SHAPES)
def test_s2_every_path_among_the_parameters_is_an_input(attempt, root, field):
    for path, state in ((root / "file", "succeeded"), (root / "out", "failed")):
        job = attempt(Reads(**{field: SHAPES[field](path)}), input_roots=(root,), job_id=state)
        assert job.run().state == state


def test_without_roots_inputs_may_lie_anywhere(attempt, root):
    assert run(attempt, Reads(one=root / "out")).message == ""


class ReadsItsOwn(Reads):
    templates: ClassVar[dict[str, str | Path]] = {"own.conf": "text\n"}


def test_the_jobs_own_directory_is_always_a_root(attempt, root):
    assert run(attempt, ReadsItsOwn(one="own.conf"), input_roots=(root,)).message == ""


def test_paths_anywhere_in_a_parameter_are_named_from_the_root():
    task = Reads(named={"it": "a"}, nested=Wants(path="b")).with_absolute_inputs(Path("/base"))
    assert (task.named, task.nested) == ({"it": Path("/base/a")}, Wants(path=Path("/base/b")))
    assert task.model_fields_set == {"named", "nested"}


# --- outputs


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
    outcome = run(attempt, Writes(made=root.parent / path), output_roots=(root, root.parent / "other"))
    assert (outcome.state, outcome.reason) == ("failed", "validation")
    assert f"the output {root.parent / path}" in outcome.error
    assert "OUTRIDER_OUTPUT_ROOTS, which names" in outcome.error
    assert snapshot(root.parent) == before


def snapshot(folder: Path) -> dict[str, str]:
    """Return all files but the jobs'."""
    files = [path for path in folder.rglob("*") if path.is_file() and "jobs" not in path.relative_to(folder).parts]
    return {str(path): path.read_text() for path in files}


def test_without_roots_outputs_stay_with_the_job(attempt, root):
    outcome = run(attempt, Writes(made=root / "new"))
    assert (outcome.reason, "OUTRIDER_OUTPUT_ROOTS, which names no folder" in outcome.error) == ("validation", True)


@pytest.mark.parametrize("name", ["out", "dangling", "loop", "link"])
def test_s2_a_link_in_an_outputs_place_is_replaced_and_not_followed(attempt, root, name):
    assert run(attempt, Writes(made=root / name), output_roots=(root,)).message == ""
    assert not (root / name).is_symlink()
    assert (root.parent / "outside/file").read_text() == (root / "sub/file").read_text() == "content\n"
    assert not (root.parent / "nothing").exists()


@pytest.mark.parametrize(("path", "words"), [("sub", "is a folder; name a file"), ("file/new", "cannot be written")])
def test_an_output_that_cannot_be_there_is_refused_before_the_program_starts(attempt, root, path, words):
    outcome = run(attempt, Writes(made=root / path), output_roots=(root,))
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
    outcome = run(attempt, WritesTwo(script=script, made=root / "new", again=root / "new"), output_roots=(root,))
    assert outcome.message == ""
    assert {name: output.path for name, output in outcome.outputs.items()} == dict.fromkeys(
        ("made", "again"), root / "new"
    )


def test_r3_a_stale_attempt_places_nothing(attempt, root):
    async def lose_the_claim(job: Attempt) -> None:
        await job.running()
        job.ledger._tokens["job-1"] += 1

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


def test_s2_a_files_name_that_is_a_link_already_is_replaced(attempt, root, tmp_path):
    (tmp_path / "jobs/job-1/attempt-1/work").mkdir(parents=True)
    (tmp_path / "jobs/job-1/attempt-1/work/own.conf").symlink_to(root / "file")
    (tmp_path / "jobs/job-1/parameters.json").symlink_to(root / "sub/file")
    assert attempt(ReadsItsOwn()).run().message == ""
    assert (root / "file").read_text() == (root / "sub/file").read_text() == "content\n"


def test_s2_outputs_do_not_follow_a_link_that_the_program_made_of_their_folder(attempt, root):
    script = f"echo x > $0; ln -s {root}/sub ../../outputs"
    outcome = attempt(Writes(script=script, made="file")).run()
    assert (outcome.state, outcome.reason) == ("failed", "environment")
    assert (root / "sub/file").read_text() == "content\n"


class Streams(ThirdPartyTask):
    executable: ClassVar[str] = "echo"
    table: Annotated[Path, Stdout()]


def test_standard_output_may_be_placed_in_a_root(attempt, root):
    assert run(attempt, Streams(table=root / "a/table"), output_roots=(root,)).message == ""
    assert (root / "a/table").read_text() == "\n"


class Grows(Writes):
    progress: ClassVar[Any] = FileGrowth("made", interval=timedelta(seconds=0.05))


def test_e4_a_growing_output_is_watched_where_the_program_writes_it(attempt, root):
    job = attempt(Grows(script="head -c 1048576 /dev/zero > $0", made=root / "new"), output_roots=(root,))
    assert job.run().state == "succeeded"
    assert job.said(Progress)[-1].done == 1


# --- working directory


class Works(ThirdPartyTask):
    executable: ClassVar[str] = "sh"
    script: Annotated[str, Flag("-c")] = 'pwd; echo x > "$0"; : > there'
    folder: Annotated[Path | None, WorkingDirectory()] = None
    made: Annotated[Path, Output(), Positional()] = Path("made.txt")

    def read_result(self, run: ProgramRun) -> tuple[str, Path]:
        return run.stdout.strip(), run.directory


@pytest.mark.parametrize("path", ["root", "root/sub", "root/inner", "outside/../root/sub"])
def test_p6_a_program_is_started_in_the_folder_that_its_task_names(attempt, root, path):
    job = attempt(Works(folder=root.parent / path), output_roots=(root,))
    outcome = job.run()
    assert outcome.message == ""
    real = Path(os.path.realpath(root.parent / path))
    assert outcome.result == [str(real), str(root.parent / path)]
    assert (real / "there").exists()
    assert not (real / "made.txt").exists()
    assert outcome.outputs["made"].path == job.directory / "outputs/made.txt"
    assert job.record.run.argv[-1] == str(job.directory / "attempt-1/work/made.txt")


def test_a_folder_below_is_made_for_an_output_of_a_program_that_works_elsewhere(attempt, root):
    for made in ("a/made.txt", root / "a/made.txt"):
        job = attempt(Works(folder=root, made=made), output_roots=(root,), job_id=Path(made).parts[0].strip("/") or "b")
        assert job.run().message == ""
    assert (root / "a/made.txt").read_text() == "x\n"


def test_without_a_folder_the_program_works_in_the_jobs_own(attempt):
    job = attempt(Works())
    assert job.run().result[0] == str(job.directory / "attempt-1/work")
    assert job.record.run.argv[-1] == "made.txt"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("outside", "lies in none of OUTRIDER_OUTPUT_ROOTS"),
        ("root/outer", "lies in none of OUTRIDER_OUTPUT_ROOTS"),
        ("root/..", "lies in none of OUTRIDER_OUTPUT_ROOTS"),
        ("root/missing", "is no folder"),
        ("root/file", "is no folder"),
        ("root/dangling", "is no folder"),
        ("root/loop", "is no folder"),
    ],
)
def test_p6_a_working_directory_is_a_folder_in_a_root(attempt, root, path, words):
    outcome = run(attempt, Works(folder=root.parent / path), output_roots=(root,))
    assert outcome.reason == "validation"
    assert f"the working directory {root.parent / path}" in outcome.error
    assert words in outcome.error


def test_p6_a_working_directory_that_is_not_named_from_the_root_is_refused(attempt, root, monkeypatch):
    """A message without Outrider may bring one; the worker's own directory is nobody's business."""
    monkeypatch.chdir(root)
    outcome = run(attempt, Works(folder="sub"), output_roots=(root,))
    assert (outcome.reason, "is no folder" in outcome.error) == ("validation", True)


def test_a_working_directory_is_no_input(attempt, root):
    assert run(attempt, Works(folder=root / "sub"), output_roots=(root,), input_roots=(root / "other",)).message == ""
    assert Works(folder="sub").with_absolute_inputs(Path("/base")).folder == Path("/base/sub")


class WorksStreaming(Works):
    table: Annotated[Path, Stdout()] = Path("table.txt")

    def read_result(self, run: ProgramRun) -> str:
        return run.outputs["table"].read_text()


def test_standard_output_of_a_program_that_works_elsewhere_stays_with_the_job(attempt, root):
    job = attempt(WorksStreaming(folder=root), output_roots=(root,))
    assert job.run().result == f"{root}\n"
    assert not (root / "table.txt").exists()


CLASHES = {
    "templates": {"templates": {"a": "b"}},
    "input_files": {"input_files": lambda self: {}},
}


@pytest.mark.parametrize("body", CLASHES.values(), ids=CLASHES)
def test_a_class_with_a_working_directory_has_no_files_made_in_it(body):
    with pytest.raises(TypeError, match=r"Clash.folder is the working directory.*not the job's"):
        type(Works)("Clash", (Works,), {**body, "__module__": __name__})


def test_a_working_directory_is_one_folder_of_a_program():
    with pytest.raises(TypeError, match="a folder to work in is no output"):
        type(Works)(
            "A", (Works,), {"__annotations__": {"to": Annotated[Path, WorkingDirectory(), Output()]}, "__module__": "m"}
        )
    with pytest.raises(TypeError, match="folder and to cannot both be the working directory"):
        type(Works)("B", (Works,), {"__annotations__": {"to": Annotated[Path, WorkingDirectory()]}, "__module__": "m"})
    with pytest.raises(TypeError, match="must be a Path"):
        type(Works)("C", (Works,), {"__annotations__": {"to": Annotated[str, WorkingDirectory()]}, "__module__": "m"})
    with pytest.raises(TypeError, match=r"D.to: Python code is started in the job's directory"):
        type(Task)("D", (Task,), {"__annotations__": {"to": Annotated[Path, WorkingDirectory()]}, "__module__": "m"})
