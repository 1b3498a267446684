"""In which folder a program is started when its task names one."""

import os
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
from attempts import run_or_refused

from outrider import (
    Flag,
    Output,
    Positional,
    ProgramRun,
    Stdout,
    Task,
    ThirdPartyTask,
    WorkingDirectory,
)


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
    outcome = run_or_refused(attempt, Works(folder=root.parent / path), output_roots=(root,))
    assert outcome.reason == "validation"
    assert f"the working directory {root.parent / path}" in outcome.error
    assert words in outcome.error


def test_p6_a_working_directory_that_is_not_named_from_the_root_is_refused(attempt, root, monkeypatch):
    """A message without Outrider may bring one; the worker's own directory is nobody's business."""
    monkeypatch.chdir(root)
    outcome = run_or_refused(attempt, Works(folder="sub"), output_roots=(root,))
    assert (outcome.reason, "is no folder" in outcome.error) == ("validation", True)


def test_a_working_directory_is_no_input(attempt, root):
    assert (
        run_or_refused(attempt, Works(folder=root / "sub"), output_roots=(root,), input_roots=(root / "other",)).message
        == ""
    )
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
