"""The Executor when something is wrong: with the program, its outputs, its task's code, or with us."""

import asyncio
import json
import threading
from typing import Any, ClassVar

import numpy as np
import pytest
from attempts import Little, Makes, MayMakeEmpty, MayMakeNothing, Shell, Sorts
from pydantic import BaseModel, ConfigDict, ValidationError

from outrider import (
    Finished,
    Outcome,
    ProgramRun,
    ThirdPartyTask,
)
from outrider.communicators import ArtifactStore, JobSpec
from outrider.tasks import Catalogue


def test_e1_an_exit_code_is_a_failure_with_the_last_stderr_lines(attempt):
    job = attempt(Little(program="fail"))
    outcome = job.run()
    assert (outcome.state, outcome.reason, outcome.exit.exit_code) == ("failed", "exit_code", 3)
    assert "exit code 3" in outcome.error
    assert outcome.stderr_tail == ("first complaint", "last complaint")
    assert job.said(Finished) == [job.messages[-1]]


def test_e1_a_crash_is_a_failure_with_the_signals_name(attempt):
    outcome = attempt(Little(program="segv")).run()
    assert (outcome.state, outcome.reason, outcome.exit.signal) == ("failed", "signal", "SIGSEGV")
    assert "SIGSEGV" in outcome.error
    assert outcome.stderr_tail == ("about to crash",)


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (Makes(script="true"), "made (made.txt) was not written"),
        (Makes(script=": > made.txt"), "made (made.txt) is empty"),
        (Makes(script="mkdir made.txt"), "made (made.txt)"),
        (MayMakeNothing(script=": > made.txt"), "made (made.txt) is empty"),
        (MayMakeEmpty(script="true"), "made (made.txt) was not written"),
    ],
    ids=["missing", "empty", "a folder", "optional but empty", "allowed empty but missing"],
)
def test_p7_an_output_that_is_not_as_declared_is_a_failure(attempt, task, words):
    job = attempt(task)
    outcome = job.run()
    assert (outcome.state, outcome.reason) == ("failed", "missing_output")
    assert words in outcome.error
    assert outcome.exit.ok
    assert not (job.directory / "outputs").exists()


@pytest.mark.parametrize(
    ("script", "made"),
    [("ln -s {}/precious made.txt", "made.txt"), ("ln -s {} sub", "sub/precious")],
    ids=["a link to a file", "a link to a folder"],
)
def test_s2_an_output_cannot_be_taken_from_outside_by_a_link(attempt, tmp_path, script, made):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("mine")
    outcome = attempt(Makes(script=script.format(outside), made=made)).run()
    assert (outside / "precious").read_text() == "mine"
    assert (outcome.state, outcome.reason) == ("failed", "missing_output")
    assert f"made ({made}) is a link that leads out" in outcome.error


@pytest.mark.parametrize("source", ["missing.txt", "/no/such/folder/in.txt"])
def test_an_input_that_cannot_be_read_is_a_failure_before_anything_runs(attempt, source):
    job = attempt(Sorts(source=source))
    outcome = job.run()
    assert (outcome.state, outcome.reason, outcome.exit) == ("failed", "validation", None)
    assert f"cannot read the input {source}: No such file" in outcome.error
    assert job.said(Finished) == [job.messages[-1]]
    assert job.record.run is None


def test_wrong_parameters_are_a_failure_naming_them(attempt):
    outcome = attempt(Shell(script="true"), parameters={"script": 3, "extra": 1}).run()
    assert (outcome.state, outcome.reason) == ("failed", "validation")
    assert "script=3" in outcome.error
    assert "extra: there is no such field" in outcome.error


def test_a_task_that_the_worker_does_not_know_is_a_failure(attempt):
    job = attempt(Shell(script="true"))
    job.executor._catalogue = Catalogue([])
    outcome = job.run()
    assert (outcome.state, outcome.reason) == ("failed", "validation")
    assert "'shell'" in outcome.error


class NoProgram(ThirdPartyTask):
    executable: ClassVar[str] = "no-such-program"


def test_p4_a_missing_program_is_a_failure_before_anything_runs(attempt):
    job = attempt(NoProgram())
    outcome = job.run()
    assert (outcome.state, outcome.reason, outcome.exit) == ("failed", "environment", None)
    assert "no-such-program" in outcome.error
    assert job.record.run is None


def test_a_work_root_that_cannot_be_written_is_a_failure_naming_the_setting(attempt, tmp_path):
    (tmp_path / "file").touch()
    outcome = attempt(Shell(script="true"), jobs_directory=tmp_path / "file" / "jobs").run()
    assert (outcome.state, outcome.reason) == ("failed", "environment")
    assert "OUTRIDER_WORK_ROOT" in outcome.error
    assert str(tmp_path / "file") in outcome.error


class CannotRead(Shell):
    def read_result(self, run: ProgramRun) -> int:
        return int(run.stdout)


class ReadsAnother(Shell):
    def read_result(self, run: ProgramRun) -> int:
        return "many"


class ReadsWhatCannotTravel(Shell):
    def read_result(self, run: ProgramRun) -> Any:
        return threading.Lock()


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (CannotRead(script="echo many"), "cannot_read.read_result raised ValueError"),
        (ReadsAnother(script="true"), "reads_another.read_result raised ValidationError"),
        (
            ReadsWhatCannotTravel(script="true"),
            "its result cannot be kept: a value of type _thread.lock cannot be sent",
        ),
    ],
    ids=["it raises", "of another type", "not even to be pickled"],
)
def test_a_result_that_cannot_be_read_is_a_failure(attempt, task, words):
    outcome = attempt(task).run()
    assert (outcome.state, outcome.reason) == ("failed", "result")
    assert words in outcome.error
    assert outcome.exit.ok


class Arrays(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    image: np.ndarray
    rows: int


class ReadsArrays(Shell):
    def read_result(self, run: ProgramRun) -> Arrays:
        return Arrays(image=np.ones((500, 500)), rows=2)


def test_c7_what_is_no_json_goes_to_the_store_and_the_record_refers_to_it(attempt):
    job = attempt(ReadsArrays(script="true"))
    outcome = job.run()
    tag = outcome.result["image"]["$outrider"]
    assert outcome.result == {"image": {"$outrider": tag}, "rows": 2}
    assert tag["reference"]["key"].startswith("job-1/artifacts/")
    assert (job.directory.parent / tag["reference"]["key"]).stat().st_size == tag["reference"]["size"]
    assert len(job.record.model_dump_json()) < 3000


def test_c7_a_store_that_takes_nothing_is_a_failure_that_names_the_setting(attempt, tmp_path):
    (tmp_path / "file").touch()
    outcome = attempt(ReadsArrays(script="true"), store=ArtifactStore(f"file://{tmp_path}/file")).run()
    assert (outcome.state, outcome.reason) == ("failed", "result")
    assert "its result cannot be kept" in outcome.error
    assert "OUTRIDER_ARTIFACT_URL" in outcome.error


def test_s3_a_store_that_does_not_exist_is_a_failure_without_its_secret(attempt):
    outcome = attempt(ReadsArrays(script="true"), store=ArtifactStore("nosuch://me:secret@host")).run()
    assert "OUTRIDER_ARTIFACT_URL='nosuch://me:***@host'" in outcome.error
    assert "secret" not in outcome.error


class ReadsDepth(Shell):
    def read_result(self, run: ProgramRun) -> Any:
        value: list[Any] = []
        for _ in range(int(run.stdout)):
            value = [value]
        return value


@pytest.mark.parametrize("depth", [199, 200, 201, 252, 253, 254, 255, 256])
def test_a_result_of_any_depth_ends_the_job(attempt, depth):
    job = attempt(ReadsDepth(script=f"echo {depth}"))
    assert job.run().state == ("succeeded" if depth <= 200 else "failed")
    assert job.record.outcome.reason in (None, "result")
    json.loads(job.record.model_dump_json())


class LeavesAfter(Shell):
    def read_result(self, run: ProgramRun) -> int:
        raise SystemExit("the author gave up")


class LeavesBefore(Shell):
    def input_files(self):
        raise SystemExit("the author gave up")


@pytest.mark.parametrize("task", [LeavesAfter, LeavesBefore])
def test_e2_a_tasks_code_that_exits_does_not_take_the_worker_with_it(attempt, task):
    """Beyond the Executor, SystemExit would end the loop of all jobs."""
    job = attempt(task(script="true"))

    async def main() -> Outcome | None:
        try:
            return await job.executor.run()
        except SystemExit:
            return None

    outcome = asyncio.run(main())
    assert outcome
    assert outcome.state == "failed"
    assert "the author gave up" in outcome.error


class LooseProgress(Shell):
    progress: ClassVar[str | None] = r"(?P<percent>\d+)?%"


def test_e2_nothing_that_a_program_prints_fails_the_job(attempt):
    outcome = attempt(LooseProgress(script="echo 1%; echo %; sleep 0.3; echo fine")).run()
    assert outcome.message == ""
    assert outcome.state == "succeeded"


def test_a_defect_of_ours_ends_the_job_and_says_where_to_look(attempt, caplog, monkeypatch):
    monkeypatch.setattr("outrider.worker.preparation.plan_launch", lambda *_: 1 / 0)
    job = attempt(Shell(script="true"))
    outcome = job.run()
    assert (outcome.state, outcome.reason) == ("failed", "internal")
    assert "ZeroDivisionError" in outcome.error
    assert "ZeroDivisionError" in caplog.text
    assert job.said(Finished) == [job.messages[-1]]


# --- where it may write


class Escapes(Shell):
    def input_files(self):
        return {"../../../../escaped.txt": "out\n"}


def test_s2_an_input_file_cannot_be_written_outside_the_job_directory(attempt, tmp_path):
    outcome = attempt(Escapes(script="true")).run()
    assert not (tmp_path / "escaped.txt").exists()
    assert outcome.state == "failed"


@pytest.mark.parametrize("job_id", ["../escaped", "", ".", "a/b", "-rf", "a" * 200])
def test_s2_a_jobs_id_cannot_lead_out_of_the_work_root(job_id):
    """A stranger with access to the queue chooses the id of a Celery message."""
    with pytest.raises(ValidationError):
        JobSpec(id=job_id, task="shell", version="1", parameters={}, queue="q")


# --- heartbeats, cancelling, losing the claim
