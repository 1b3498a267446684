"""The Executor over a ledger in memory and real little programs: no Redis, no Celery."""

import asyncio
import os
import subprocess
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from attempts import Attempt, Little, Makes, MayMakeEmpty, MayMakeNothing, Shell, Sorts
from pydantic import BaseModel

from outrider import (
    Finished,
    Heartbeat,
    JobState,
    NotAnArgument,
    Output,
    Positional,
    ProgramRun,
    Progress,
    StateChanged,
    ThirdPartyTask,
)
from outrider.communicators import JobSpec, read_record


class Summary(BaseModel):
    rows: int


class Counts(Makes):
    def read_result(self, run: ProgramRun) -> Summary:
        assert run.outputs["made"].read_text() == "a\nb\n"
        return Summary(rows=len(run.stdout.split()))


def test_a_program_that_ends_well_gives_its_typed_result(attempt):
    job = attempt(Counts(script="echo 1 2 3; echo a > made.txt; echo b >> made.txt"))
    outcome = job.run()
    assert (outcome.state, outcome.result) == (JobState.SUCCEEDED, {"rows": 3})
    assert Counts.result_adapter().validate_python(outcome.result) == Summary(rows=3)
    assert outcome.exit.ok
    assert job.record.outcome == outcome
    assert read_record(job.directory).outcome == outcome


def test_p7_an_output_is_moved_into_place_with_its_size_and_sha256(attempt):
    job = attempt(Makes(script="echo a > made.txt"))
    output = job.run().outputs["made"]
    assert output.path == job.directory / "outputs" / "made.txt"
    assert (output.size, output.path.read_text()) == (2, "a\n")
    assert output.sha256 == subprocess.check_output(["sha256sum", output.path], text=True).split()[0]


def test_the_directory_holds_parameters_and_whole_logs(attempt):
    job = attempt(Shell(script="echo out; echo err >&2"))
    assert job.run().state == "succeeded"
    assert JobSpec.model_validate_json((job.directory / "parameters.json").read_bytes()) == job.held.spec
    assert (job.directory / "attempt-1" / "stdout.log").read_text() == "out\n"
    assert (job.directory / "attempt-1" / "stderr.log").read_text() == "err\n"


def test_the_record_says_what_ran_and_in_which_order(attempt):
    job = attempt(Shell(script="true"))
    job.run()
    run = job.record.run
    assert run.argv[1:] == ("-c", "true")
    assert run.directory == job.directory / "attempt-1" / "work"
    assert run.environment == {
        "OUTRIDER_JOB": "job-1",
        "OUTRIDER_ATTEMPT": "job-1/1",
        "OUTRIDER_WORKER": job.executor._site.worker_id,
        "OUTRIDER_SOCKET": str(job.executor._socket),
    }
    assert job.record.queued_at <= job.record.claimed_at <= job.record.started_at <= job.record.ended_at


def test_messages_come_in_order_numbered_by_source_and_end_with_one_finished(attempt):
    job = attempt(Shell(script="echo 1/2; sleep 1; echo 2/2"))
    job.run()
    states = [message.state for message in job.said(StateChanged)]
    assert states == [JobState.QUEUED, JobState.STARTING, JobState.RUNNING]
    assert [message.done for message in job.said(Progress)] == [1, 2]
    assert job.lines() == ["1/2", "2/2"]
    numbers = [message.sequence for message in job.messages if message.source == "stdout"]
    assert numbers == list(range(1, len(numbers) + 1))
    assert job.said(Finished) == [job.messages[-1]]
    assert job.executor.progress.done == 2


class Returns(ThirdPartyTask):
    executable: ClassVar[str] = "true"
    value: Annotated[Any, NotAnArgument()] = None

    def read_result(self, run: ProgramRun) -> Any:
        return self.value


@pytest.mark.parametrize("value", [None, 0, "", False, [], "0012"], ids=repr)
def test_j8_each_result_is_a_result(attempt, value):
    outcome = attempt(Returns(value=value)).run()
    assert outcome.state == "succeeded"
    assert outcome.result == value
    assert type(outcome.result) is type(value)


def test_standard_output_may_be_an_output(attempt, tmp_path):
    (tmp_path / "in.txt").write_text("b\na\n")
    job = attempt(Sorts(source=tmp_path / "in.txt"))
    assert job.run().result == ["a", "b"]
    assert not (job.directory / "attempt-1" / "stdout.log").exists()


class Configured(Shell):
    def input_files(self):
        return {"conf.ini": "level = 3\n"}


def test_input_files_are_there_before_the_program(attempt):
    job = attempt(Configured(script="cat conf.ini"))
    job.run()
    assert job.lines() == ["level = 3"]


class ConfiguredBelow(Shell):
    def input_files(self):
        return {"sub/conf.ini": "level = 3\n"}


def test_input_files_may_lie_in_folders(attempt):
    job = attempt(ConfiguredBelow(script="cat sub/conf.ini"))
    assert job.run().message == ""
    assert job.lines() == ["level = 3"]


# --- failure


@pytest.mark.parametrize(
    ("task", "sizes"),
    [
        (MayMakeNothing(script="true"), {}),
        (MayMakeNothing(script="echo a > made.txt"), {"made": 2}),
        (MayMakeEmpty(script=": > made.txt"), {"made": 0}),
    ],
    ids=["optional", "optional and there", "allowed empty"],
)
def test_p7_an_output_may_be_absent_or_empty_when_it_says_so(attempt, task, sizes):
    outcome = attempt(task).run()
    assert outcome.state == "succeeded"
    assert {name: output.size for name, output in outcome.outputs.items()} == sizes


def test_an_output_that_is_a_link_to_a_neighbour_is_a_file_in_its_place(attempt):
    outcome = attempt(Makes(script="echo a > run-7.txt; ln -s run-7.txt made.txt")).run()
    assert outcome.message == ""
    assert outcome.outputs["made"].path.read_text() == "a\n"


class MakesTwice(Makes):
    latest: Annotated[Path, Output()] = Path("latest.txt")


def test_two_outputs_may_be_one_file(attempt):
    outcome = attempt(MakesTwice(script="echo a > made.txt; ln -s made.txt latest.txt")).run()
    assert outcome.message == ""
    assert [outcome.outputs[name].path.read_text() for name in ("made", "latest")] == ["a\n", "a\n"]


def test_e3_a_silent_program_reports_at_its_interval(attempt):
    job = attempt(Little(program="hang", words=["2.2"]), heartbeat_interval=timedelta(seconds=0.4))
    job.run()
    beats = job.said(Heartbeat)
    assert len(beats) in (4, 5, 6)
    times = [0, *(beat.elapsed_seconds for beat in beats)]
    assert all(0.2 <= later - earlier <= 0.6 for earlier, later in pairwise(times))
    assert {beat.pid for beat in beats} == {job.record.run.pid}
    assert all(beat.rss > 0 for beat in beats)
    assert job.record.heartbeat == beats[-1].model_copy(update={"stamp": None})


class Reads(ThirdPartyTask):
    executable: ClassVar[str] = "cat"
    version_arguments: ClassVar[tuple[str, ...]] = ("--version",)
    sources: Annotated[list[Path], Positional()]


def test_provenance_has_the_programs_version_and_the_hash_of_each_input(attempt, tmp_path):
    files = [tmp_path / "a.bin", tmp_path / "b c.txt"]
    files[0].write_bytes(bytes(range(256)) * 100)
    files[1].write_text("é")
    job = attempt(Reads(sources=files))
    job.run()
    sums = subprocess.check_output(["sha256sum", *files], text=True).splitlines()
    assert {path: file.sha256 for path, file in job.record.provenance.inputs.items()} == {
        line[66:]: line[:64] for line in sums
    }
    said = subprocess.check_output(["cat", "--version"], text=True).splitlines()[0]
    assert job.record.provenance.program_version == said
    assert job.record.provenance.outrider_version


class First(Shell):
    environment: ClassVar[dict[str, str]] = {"ONLY_FIRST": "1", "BOTH": "first"}


class Second(Shell):
    environment: ClassVar[dict[str, str]] = {"BOTH": "second"}


def test_p6_two_jobs_do_not_see_each_others_environment(tmp_path):
    before = dict(os.environ)
    script = "sleep 0.2; echo $ONLY_FIRST/$BOTH/$OUTRIDER_JOB"
    first = Attempt(tmp_path, First(script=script), job_id="a")
    second = Attempt(tmp_path, Second(script=script), job_id="b")

    async def main() -> None:
        await asyncio.gather(first.executor.run(), second.executor.run())

    asyncio.run(main())
    assert (first.lines(), second.lines()) == (["1/first/a"], ["/second/b"])
    assert first.record.run.environment == {
        "ONLY_FIRST": "1",
        "BOTH": "first",
        "OUTRIDER_JOB": "a",
        "OUTRIDER_ATTEMPT": "a/1",
        "OUTRIDER_WORKER": first.executor._site.worker_id,
        "OUTRIDER_SOCKET": str(first.executor._socket),
    }
    assert dict(os.environ) == before
