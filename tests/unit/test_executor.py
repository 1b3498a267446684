"""The Executor over a ledger in memory and real little programs: no Redis, no Celery."""

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import BaseModel, ValidationError
from support import PROGRAMS, eventually

from outrider import (
    Finished,
    Flag,
    Heartbeat,
    JobState,
    LogLines,
    NotAnArgument,
    Outcome,
    Output,
    Positional,
    ProgramRun,
    Progress,
    StateChanged,
    Stdout,
    ThirdPartyTask,
)
from outrider.communicators import JobSpec, MemoryLedger, Wish
from outrider.config.errors import Superseded
from outrider.tasks import Catalogue
from outrider.worker import Executor, Site
from outrider.worker.process_table import ProcessTable
from outrider.worker.sweeper import Sweeper


class Little(ThirdPartyTask):
    """One of the tests' programs."""

    executable: ClassVar[str] = "sh"
    subcommand: ClassVar[tuple[str, ...]] = ("-c", 'name=$1; shift; exec "$PROGRAMS/$name" "$@"', "little")

    program: Annotated[str, Positional()]
    words: Annotated[list[str], Positional()] = []


class Shell(ThirdPartyTask):
    """A line of sh."""

    executable: ClassVar[str] = "sh"
    progress: ClassVar[str | None] = r"(?P<done>\d+)/(?P<total>\d+)"

    script: Annotated[str, Flag("-c")]


class Makes(Shell):
    """A line of sh that leaves a file."""

    made: Annotated[Path, Output()] = Path("made.txt")


class MayMakeNothing(Shell):
    made: Annotated[Path, Output(optional=True)] = Path("made.txt")


class MayMakeEmpty(Shell):
    made: Annotated[Path, Output(allow_empty=True)] = Path("made.txt")


class Attempt:
    """One attempt of a job: everything that is needed to carry it out, and to look at it afterwards."""

    def __init__(self, folder: Path, task: ThirdPartyTask, ledger: MemoryLedger | None = None, **changes: Any) -> None:
        job_id = changes.pop("job_id", "job-1")
        self.ledger = ledger or MemoryLedger()
        parameters = changes.pop("parameters", task.parameters())
        self.ledger.open(JobSpec(id=job_id, task=task.name, version="1", parameters=parameters, queue="q"))
        self.held = self.ledger.claim(job_id, "w@test")
        site = {
            "jobs_directory": folder / "jobs",
            "environment": {"PATH": os.environ["PATH"], "PROGRAMS": str(PROGRAMS)},
            "grace": timedelta(seconds=0.5),
            "heartbeat_interval": timedelta(minutes=1),
            "hash_inputs": True,
            "worker_id": f"w-{folder.name}",
            "processes": ProcessTable(f"w-{folder.name}"),
            "sweeper": Sweeper(f"w-{folder.name}"),
        }
        self.executor = Executor(self.held, Catalogue([type(task)]), self.ledger, Site(**(site | changes)))
        self.directory = folder / "jobs" / job_id

    def run(self, meanwhile: Callable[["Attempt"], Awaitable[None]] | None = None) -> Outcome:
        """Carry it out, while something else happens."""

        async def main() -> Outcome:
            running = asyncio.create_task(self.executor.run())
            try:
                if meanwhile:
                    await meanwhile(self)
                return await asyncio.wait_for(running, 20)
            finally:
                running.cancel()
                await asyncio.wait([running])
                if run := self.record.run:
                    await self.until(lambda: not Path(f"/proc/{run.pid}").exists(), "the program is gone and collected")

        return asyncio.run(main())

    @property
    def messages(self) -> list[Any]:
        return self.ledger.messages[self.held.spec.id]

    @property
    def record(self) -> Any:
        return self.ledger.record(self.held.spec.id)

    def said(self, kind: type) -> list[Any]:
        return [message for message in self.messages if isinstance(message, kind)]

    def lines(self, stream: str = "stdout") -> list[str]:
        return [line for message in self.said(LogLines) if message.stream == stream for line in message.lines]

    async def until(self, condition: Callable[[], object], message: str) -> None:
        await asyncio.to_thread(eventually, condition, message)

    async def running(self) -> None:
        await self.until(lambda: self.record.state is JobState.RUNNING, "the program runs")


@pytest.fixture
def attempt(tmp_path):
    """Make an attempt of a task."""

    def make(task: ThirdPartyTask, **changes: Any) -> Attempt:
        return Attempt(tmp_path, task, **changes)

    return make


def runs(pid: int) -> bool:
    """Say whether a process runs; a zombie that nobody collects does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


# --- success


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
    assert Outcome.model_validate_json((job.directory / "outcome.json").read_bytes()) == outcome


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
    }
    assert job.record.queued_at <= job.record.claimed_at <= job.record.started_at <= job.record.ended_at


def test_messages_come_in_order_numbered_by_source_and_end_with_one_finished(attempt):
    job = attempt(Shell(script="echo 1/2; sleep 0.3; echo 2/2"))
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


class Sorts(ThirdPartyTask):
    executable: ClassVar[str] = "sort"
    source: Annotated[Path, Positional()]
    table: Annotated[Path, Stdout()] = Path("sorted.txt")

    def read_result(self, run: ProgramRun) -> list[str]:
        return run.outputs["table"].read_text().split()


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


class ReadsNoJson(Shell):
    def read_result(self, run: ProgramRun) -> Any:
        return object()


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (CannotRead(script="echo many"), "cannot_read.read_result raised ValueError"),
        (ReadsAnother(script="true"), "reads_another.read_result raised ValidationError"),
        (ReadsNoJson(script="true"), "reads_no_json.read_result raised PydanticSerializationError"),
    ],
    ids=["it raises", "of another type", "no JSON"],
)
def test_a_result_that_cannot_be_read_is_a_failure(attempt, task, words):
    outcome = attempt(task).run()
    assert (outcome.state, outcome.reason) == ("failed", "result")
    assert words in outcome.error
    assert outcome.exit.ok


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
    monkeypatch.setattr("outrider.worker.executor.plan_launch", lambda *_: 1 / 0)
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


def test_e3_a_silent_program_reports_at_its_interval(attempt):
    job = attempt(Little(program="hang", words=["2.2"]), heartbeat_interval=timedelta(seconds=0.4))
    job.run()
    beats = job.said(Heartbeat)
    assert len(beats) in (4, 5, 6)
    times = [0, *(beat.elapsed_seconds for beat in beats)]
    assert all(0.2 <= later - earlier <= 0.6 for earlier, later in pairwise(times))
    assert {beat.pid for beat in beats} == {job.record.run.pid}
    assert all(beat.rss > 0 for beat in beats)
    assert job.record.heartbeat == beats[-1]


async def cancel(job: Attempt) -> None:
    await job.running()
    job.ledger.wish("job-1", Wish.CANCEL)
    job.executor.upward.wake()


def test_x2_a_running_job_is_cancelled_at_once(attempt):
    job = attempt(Little(program="hang"))
    begun = time.monotonic()
    outcome = job.run(cancel)
    assert time.monotonic() - begun < 3
    assert (outcome.state, outcome.reason, outcome.exit.signal) == ("cancelled", None, "SIGTERM")
    assert JobState.CANCELLING in [message.state for message in job.said(StateChanged)]
    assert job.said(Finished) == [job.messages[-1]]


def test_x2_a_program_that_ignores_term_is_killed_after_the_grace(attempt):
    async def once_deaf(job: Attempt) -> None:
        await job.until(lambda: "deaf" in job.lines(), "it ignores TERM")
        await cancel(job)

    outcome = attempt(Little(program="ignore-term")).run(once_deaf)
    assert (outcome.state, outcome.exit.signal) == ("cancelled", "SIGKILL")


def test_x2_children_are_gone_after_cancelling(attempt):
    children: list[int] = []

    async def once_forked(job: Attempt) -> None:
        await job.until(job.lines, "it has a child")
        children.extend(map(int, job.lines()))
        assert runs(children[0])
        await cancel(job)

    assert attempt(Little(program="fork")).run(once_forked).state == "cancelled"
    eventually(lambda: not runs(children[0]), "the child is gone", 5)


def test_a_job_that_was_cancelled_before_its_program_started_does_not_run_on(attempt):
    job = attempt(Shell(script="exec sleep 15"))  # it says nothing, so nothing but its start asks the ledger
    job.ledger.wish("job-1", Wish.CANCEL)
    assert job.run().state == "cancelled"


class SlowQuestions(MemoryLedger):
    """It hears late, as over a network."""

    async def emit(self, held, messages):
        await asyncio.sleep(0.3)
        return await super().emit(held, messages)


def test_what_a_program_said_last_is_told_before_its_end(attempt):
    job = attempt(Little(program="fail"), ledger=SlowQuestions())
    assert job.run().state == "failed"
    assert (job.lines("stdout"), job.lines("stderr")) == (["half a result"], ["first complaint", "last complaint"])
    assert job.said(Finished) == [job.messages[-1]]


class SlowAnswers(MemoryLedger):
    """It answers late."""

    async def emit(self, held, messages):
        answer = await super().emit(held, messages)
        await asyncio.sleep(0.3)
        return answer


def test_c8_a_wish_to_cancel_is_seen_although_an_older_answer_is_under_way(attempt):
    async def while_an_answer_is_under_way(job: Attempt) -> None:
        await job.until(job.lines, "the ledger has its first lines")  # its answer is still under way
        await cancel(job)

    job = attempt(Shell(script="echo hello; exec sleep 3"), ledger=SlowAnswers())
    assert job.run(while_an_answer_is_under_way).state == "cancelled"


async def lose_the_claim(job: Attempt) -> None:
    await job.running()
    job.ledger._tokens["job-1"] += 1


def test_r2_an_attempt_whose_claim_was_taken_ends_its_program_and_says_nothing_more(attempt):
    async def and_wake(job: Attempt) -> None:
        await lose_the_claim(job)
        job.executor.upward.wake()

    job = attempt(Little(program="hang"))
    with pytest.raises(Superseded):
        job.run(and_wake)
    assert not runs(job.record.run.pid)
    assert job.said(Finished) == []
    assert job.record.state == "running"
    assert not (job.directory / "outcome.json").exists()


@pytest.mark.parametrize(
    "script", ["sleep 0.6; exit 3", "sleep 0.6; echo stale > made.txt"], ids=["failed", "succeeded"]
)
def test_r3_a_stale_attempt_leaves_neither_outcome_nor_outputs(attempt, script):
    job = attempt(Makes(script=script))
    with pytest.raises(Superseded):
        job.run(lose_the_claim)
    assert job.said(Finished) == []
    assert not (job.directory / "outputs").exists()
    assert not (job.directory / "outcome.json").exists()


def test_e1_an_escaped_grandchild_does_not_keep_the_job_from_ending(attempt):
    job = attempt(
        Little(program="escape"),
        environment={"PATH": os.environ["PATH"], "PROGRAMS": str(PROGRAMS), "ESCAPE_SECONDS": "15"},
    )
    begun = time.monotonic()
    try:
        assert job.run().state == "succeeded"
        assert time.monotonic() - begun < 3
    finally:
        for pid in map(int, job.lines()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)


def test_no_task_and_no_descriptor_of_a_job_stays(attempt):
    job = attempt(Shell(script="echo one"))

    async def main() -> None:
        await asyncio.to_thread(int)  # the loop's own thread
        before = os.listdir("/proc/self/fd")
        await job.executor.run()
        assert os.listdir("/proc/self/fd") == before
        for task in asyncio.all_tasks() - {asyncio.current_task()}:  # the sweep after the end
            await asyncio.wait_for(task, 5)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


# --- what it depends on


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
    assert job.record.provenance.inputs == {line[66:]: line[:64] for line in sums}
    said = subprocess.check_output(["cat", "--version"], text=True).splitlines()[0]
    assert job.record.provenance.program_version == said
    assert job.record.provenance.outrider_version


def test_inputs_are_not_hashed_when_nobody_wants_it(attempt, tmp_path):
    (tmp_path / "a").touch()
    job = attempt(Reads(sources=[tmp_path / "a"]), hash_inputs=False)
    job.run()
    assert job.record.provenance.inputs == {}


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
    }
    assert dict(os.environ) == before
