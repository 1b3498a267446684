"""Tasklets around a program, in the job's own slot."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from attempts import Makes, Shell, Sorts, runs
from job_tasklets import changes, counts, gives, is_slow, kind_of, makes, signs, strange, tells
from little_tasklets import add, crashes, fails, nothing, prints, same, sleeps
from support import eventually

from outrider import Environment, Heartbeat, JobState, Limits, RetryPolicy, TaskletCall
from outrider.communicators import TaskletEnded, Wish
from outrider.config.errors import LedgerError, Superseded
from outrider.worker.verdict import Released


def call(tasklet, *args, **options):
    """Return a call with options."""
    return TaskletCall.of(tasklet.si(*args), **options)


def ends(job):
    """Return how each tasklet of a job ended."""
    return [(run.tasklet, str(run.state)) for run in job.record.tasklets]


def texts(job):
    return [part.text for run in job.record.tasklets for part in run.parts if part.kind == "text"]


# --- order, arguments, references


def test_they_run_around_the_program_in_their_order(attempt, tmp_path):
    trace = str(tmp_path / "trace")
    job = attempt(
        Shell(script=f"echo program >> {trace}"),
        before=[signs.si(trace, "first"), signs.si(trace, "second")],
        after=[signs.si(trace, "third"), signs.si(trace, "fourth")],
    )
    assert job.run().state == "succeeded"
    assert Path(trace).read_text().split() == ["first", "second", "program", "third", "fourth"]
    assert [(run.place, run.number) for run in job.record.tasklets] == [
        ("before", 1),
        ("before", 2),
        ("after", 1),
        ("after", 2),
    ]
    assert [message.run for message in job.said(TaskletEnded)] == list(job.record.tasklets)


def test_t4_references_keep_their_types(attempt):
    names = ("parameters.script", "job.attempt", "job.directory", "job.exit_code", "job.state")
    wanted = [kind_of.si(f"{{{{ {name} }}}}") for name in names]
    job = attempt(Shell(script="true"), before=[*wanted, kind_of.si("{{ job.id }}!")])
    job.run()
    work = str(job.directory / "attempt-1" / "work")
    assert texts(job) == ["str 'true'", "int 1", f"str {work!r}", "NoneType None", "str 'starting'", "str 'job-1!'"]


def test_t4_the_result_and_outputs_are_known_after_the_program(attempt, tmp_path):
    source = tmp_path / "source"
    source.write_text("b\na\n")
    job = attempt(
        Sorts(source=source),
        after=[
            kind_of.s(),
            kind_of.si("{{ result[0] }}"),
            kind_of.si("{{ job.exit_code }}"),
            kind_of.si("{{ job.state }}"),
            counts.si("{{ outputs.table }}"),
            counts.si("sorted.txt"),
        ],
    )
    assert job.run().state == "succeeded"
    assert texts(job) == ["list ['a', 'b']", "str 'a'", "int 0", "str 'succeeded'"]
    assert [run.parts[0].values for run in job.record.tasklets[4:]] == [{"lines": 2}] * 2


def test_what_came_before_goes_to_the_next_that_lacks_an_argument(attempt):
    job = attempt(Shell(script="true"), before=[same.si([1, 2]), kind_of.s(), kind_of.si("{{ previous }}")])
    assert job.run().state == "succeeded"
    assert texts(job)[-2:] == ["list [1, 2]", "str 'list [1, 2]'"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"before": ["nothingg"]}, "no tasklet is called 'nothingg'; did you mean 'nothing'?"),
        ({"after": [same.si("{{ parameters.scirpt }}")]}, "did you mean 'script'?"),
        ({"after": [same.si("{{ jbo.id }}")]}, "there is no 'jbo'"),
        ({"after": [same.si("{{ outputs.table }}")]}, "there is no 'table'"),
        ({"before": [same.si("{{ result }}")]}, "before the program there is no 'result'"),
        ({"before": [same.si("{{ previous }}")]}, "before the first tasklet there is nothing"),
        ({"before": [add.s()]}, "missing a required argument: 'a'"),
        ({"after": [counts.si("{{ job.id")]}, "there is no }} to it"),
    ],
)
def test_t4_what_cannot_be_right_fails_the_job_before_anything_runs(attempt, tmp_path, asked, words):
    trace = tmp_path / "trace"
    asked = {"before": [signs.si(str(trace), "ran")]} | asked
    job = attempt(Shell(script=f"touch {trace}"), **asked)
    outcome = job.run()
    assert (outcome.state, outcome.reason) == ("failed", "validation")
    assert words in outcome.error
    assert not trace.exists()
    assert job.record.run is None


def test_t4_what_is_missing_in_the_result_fails_that_tasklet(attempt, tmp_path):
    (tmp_path / "source").write_text("a\n")
    job = attempt(
        Sorts(source=tmp_path / "source"), after=[call(same, "{{ result[7] }}", required=False), nothing.si()]
    )
    outcome = job.run()
    assert outcome.state == "succeeded"
    assert ends(job) == [("same", "failed"), ("nothing", "succeeded")]
    assert "there is no [7] in a list of 1" in job.record.tasklets[0].error
    assert outcome.warnings == (f"same: failed: {job.record.tasklets[0].error}",)


class Arrays(Shell):
    def read_result(self, run) -> dict:
        return {"small": np.arange(3.0), "large": np.zeros(2**20), "peak": 7}


def test_arrays_in_a_result_come_as_lists_unless_they_are_large(attempt):
    wanted = [kind_of.si(f"{{{{ result.{name} }}}}") for name in ("small", "peak", "large")]
    job = attempt(Arrays(script="true"), after=wanted)
    outcome = job.run()
    assert texts(job) == ["list [0.0, 1.0, 2.0]", "int 7"]
    assert outcome.reason == "tasklet"
    assert "array float64 (1048576,)" in outcome.error
    assert "is too much for an argument" in outcome.error
    assert outcome.result["peak"] == 7, "the program's work is not lost"


# --- before the program: inputs and parameters


def test_t5_a_tasklet_makes_an_input_and_changes_parameters(attempt):
    job = attempt(
        Sorts(source="will-be-made.txt"),
        before=[makes.si("other.txt", "2\n1\n"), changes.si(source="other.txt")],
        after=[kind_of.si("{{ parameters.source }}")],
    )
    outcome = job.run()
    assert (outcome.state, outcome.result) == ("succeeded", ["1", "2"])
    made, changed, told = job.record.tasklets
    assert [part.kind for part in made.parts] == ["file"]
    assert changed.parts[0].values == {"source": "other.txt"}
    assert told.parts[0].text == "str 'other.txt'"
    assert job.record.run.parameters == {"source": "other.txt", "table": "sorted.txt"}
    assert job.record.spec.parameters["source"] == "will-be-made.txt", "what was submitted stays"


def test_t5_parameters_that_do_not_fit_fail_the_tasklet(attempt):
    job = attempt(Shell(script="true"), before=[changes.si(scirpt="false")])
    outcome = job.run()
    assert (outcome.state, outcome.reason) == ("failed", "tasklet")
    assert "the new parameters are refused: wrong parameters for task 'shell': scirpt: there is no such field" in (
        outcome.error
    )
    assert job.record.run is None


def test_without_changes_the_record_has_no_parameters_of_its_own(attempt):
    job = attempt(Shell(script="true"), before=[nothing.si()])
    job.run()
    assert job.record.run.parameters is None


# --- conditions


STATES = {
    "succeeded": ("true", {}),
    "failed": ("exit 3", {}),
    "timed_out": ("sleep 60", {"limits": Limits(run="0.3s")}),
    "cancelled": ("sleep 60", {}),
}


@pytest.mark.parametrize(
    ("state", "ran"),
    [
        ("succeeded", ["success", "always"]),
        ("failed", ["failure", "always"]),
        ("timed_out", ["always"]),
        ("cancelled", ["always"]),
    ],
)
def test_t7_what_runs_depends_on_the_end_of_the_program(attempt, tmp_path, state, ran):
    trace = tmp_path / "trace"
    script, limits = STATES[state]
    after = [call(signs, str(trace), when, when=when) for when in ("success", "failure", "always")]
    job = attempt(Shell(script=script), after=after, **limits)

    async def cancel(job):
        await job.running()
        if state == "cancelled":
            job.ledger.wish("job-1", Wish.CANCEL)

    assert job.run(cancel if state == "cancelled" else None).state == state
    assert trace.read_text().split() == ran
    assert [str(run.state) for run in job.record.tasklets].count("skipped") == 3 - len(ran)


def test_t7_a_required_one_that_fails_stops_the_job_before_the_program(attempt, tmp_path):
    trace = tmp_path / "trace"
    job = attempt(
        Shell(script=f"touch {trace}"),
        before=[fails.si("no frames"), nothing.si(), call(same, 1, when="always")],
        after=[nothing.si(), call(same, "{{ job.error }}", when="failure")],
    )
    outcome = job.run()
    assert (outcome.state, outcome.reason) == ("failed", "tasklet")
    assert outcome.error == "the tasklet fails before the program failed: ValueError: no frames"
    assert not trace.exists()
    assert [state for _, state in ends(job)] == ["failed", "skipped", "succeeded", "skipped", "succeeded"]
    assert job.record.tasklets[-1].parts[0].text == outcome.error


def test_t7_an_optional_one_that_fails_is_a_warning(attempt):
    job = attempt(
        Shell(script="true"), before=[call(fails, "a", required=False)], after=[call(fails, "b", required=False)]
    )
    outcome = job.run()
    assert outcome.state == "succeeded"
    assert outcome.warnings == ("fails: failed: ValueError: a", "fails: failed: ValueError: b")


def test_t7_a_required_one_that_fails_after_the_program_fails_the_job_and_keeps_its_result(attempt, tmp_path):
    (tmp_path / "source").write_text("a\n")
    after = [fails.si(), nothing.si(), call(kind_of, "{{ job.reason }}", when="failure")]
    job = attempt(Sorts(source=tmp_path / "source"), after=after)
    outcome = job.run()
    assert (outcome.state, outcome.reason) == ("failed", "tasklet")
    assert outcome.error == "the program ended well, but the tasklet fails failed: ValueError: no peak"
    assert outcome.result == ["a"]
    assert not outcome.outputs["table"].partial
    assert [state for _, state in ends(job)] == ["failed", "skipped", "succeeded"]
    assert "so far so good" in job.record.tasklets[0].printed


def test_t7_an_outcome_that_is_bad_already_stays(attempt):
    job = attempt(Makes(script="echo half > made.txt; exit 3"), after=[call(fails, when="always")])
    outcome = job.run()
    assert (outcome.state, outcome.reason) == ("failed", "exit_code")
    assert outcome.warnings == ("fails: failed: ValueError: no peak",)


def test_partial_outputs_can_be_looked_at_after_a_failure(attempt):
    after = [call(counts, "{{ outputs.made }}", when="failure"), call(counts, "made.txt", when="failure")]
    job = attempt(Makes(script="echo half > made.txt; exit 3"), after=after)
    assert job.run().outputs["made"].partial
    assert [run.parts[0].values for run in job.record.tasklets] == [{"lines": 1}] * 2


def test_a_retry_runs_those_before_again_and_those_after_once(attempt, tmp_path):
    trace = tmp_path / "trace"
    asked = {
        "before": [signs.si(str(trace), "before")],
        "after": [call(signs, str(trace), "after", when="always")],
        "retry": RetryPolicy(max_attempts=2, exit_codes=frozenset({3})),
    }
    first = attempt(Shell(script="exit 3"), **asked)
    assert isinstance(first.run(), Released)
    assert trace.read_text().split() == ["before"]
    held = first.ledger.claim("job-1", "w@test")
    assert first.record.tasklets == (), "a new attempt starts with none"
    assert held.attempt == 2


# --- limits, crashes, signs of life, wishes


def test_t8_a_limit_ends_it(attempt):
    job = attempt(Shell(script="true"), after=[is_slow.si(), call(sleeps, 60, when="always", time_limit="0.2s")])
    outcome = job.run()
    assert outcome.reason == "tasklet"
    assert [state for _, state in ends(job)] == ["timed_out", "timed_out"]
    assert job.record.tasklets[0].error == "took longer than its limit of 0.3 s"
    began = job.directory / "attempt-1" / "work" / "began"
    assert not runs(int(began.read_text()))


def test_t8_a_segmentation_fault_fails_the_tasklet_alone(attempt):
    job = attempt(Shell(script="true"), after=[call(crashes, required=False), nothing.si()])
    assert job.run().state == "succeeded"
    assert ends(job) == [("crashes", "crashed"), ("nothing", "succeeded")]
    assert job.record.tasklets[0].error == "crashed by SIGSEGV"


@pytest.mark.parametrize("place", ["before", "after"])
def test_t8_heartbeats_go_out_meanwhile(attempt, place):
    job = attempt(Shell(script="true"), heartbeat_interval=timedelta(seconds=0.1), **{place: [sleeps.si(0.8)]})
    assert job.run().state == "succeeded"
    beats = [beat for beat in job.said(Heartbeat) if beat.rss]
    assert len(beats) >= 4
    assert beats[-1].rss > 2**20


def test_their_time_does_not_count_as_preparation_or_run(attempt):
    limits = Limits(preparation="0.4s", run="0.4s")
    job = attempt(Shell(script="true"), before=[sleeps.si(0.8)], after=[sleeps.si(0.8)], limits=limits)
    assert job.run().state == "succeeded"


async def began(job):
    await job.until((job.directory / "attempt-1" / "work" / "began").exists, "the tasklet runs")


def test_a_cancel_before_the_program_ends_the_tasklet_and_the_job(attempt, tmp_path):
    trace = tmp_path / "trace"
    job = attempt(
        Shell(script=f"echo program >> {trace}"),
        before=[sleeps.si(60), nothing.si()],
        after=[call(signs, str(trace), "always", when="always"), call(signs, str(trace), "failure", when="failure")],
    )

    async def cancel(job):
        await began(job)
        job.ledger.wish("job-1", Wish.CANCEL)

    assert job.run(cancel).state == "cancelled"
    assert trace.read_text().split() == ["always"]
    assert ends(job) == [("sleeps", "cancelled"), ("signs", "succeeded"), ("signs", "skipped")]


def test_a_cancel_after_the_program_ends_the_tasklet_and_those_that_always_run_still_do(attempt, tmp_path):
    (tmp_path / "source").write_text("a\n")
    job = attempt(Sorts(source=tmp_path / "source"), after=[sleeps.si(60), nothing.si(), call(nothing, when="always")])

    async def cancel(job):
        await began(job)
        job.ledger.wish("job-1", Wish.CANCEL)

    outcome = job.run(cancel)
    assert outcome.state == "cancelled"
    assert outcome.error == "the job was cancelled after its program had ended well"
    assert outcome.result == ["a"]
    assert ends(job) == [("sleeps", "cancelled"), ("nothing", "skipped"), ("nothing", "succeeded")]


def test_a_second_cancel_ends_those_that_always_run(attempt):
    always = [call(sleeps, 60, when="always"), call(nothing, when="always")]
    job = attempt(Shell(script="sleep 60"), after=always)

    async def cancel_twice(job):
        await job.running()
        job.ledger.wish("job-1", Wish.CANCEL)
        await began(job)
        job.ledger.wish("job-1", Wish.CANCEL)

    assert job.run(cancel_twice).state == "cancelled"
    assert ends(job) == [("sleeps", "cancelled"), ("nothing", "skipped")]


@pytest.mark.parametrize("required", [True, False])
def test_handed_back_while_a_tasklet_runs_the_job_is_attempted_again_if_it_needs_it(attempt, required):
    job = attempt(Shell(script="true"), after=[call(sleeps, 60, required=required)])

    async def hand_back(job):
        await began(job)
        await job.executor.hand_back("was stopped because its worker shuts down")

    end = job.run(hand_back)
    if required:
        assert isinstance(end, Released)
        assert job.record.state is JobState.QUEUED
    else:
        assert end.state == "succeeded"
        assert "shuts down" in end.warnings[0] or "was stopped" in end.warnings[0]


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_superseded_attempt_stops_its_tasklet_and_says_nothing_more(attempt, place):
    job = attempt(
        Shell(script="true"), **{place: [sleeps.si(60)]}, **({"after": [nothing.si()]} if place == "before" else {})
    )

    async def take_over(job):
        await began(job)
        job.executor.superseded(Superseded("job-1"))

    with pytest.raises(LedgerError):
        job.run(take_over)
    pid = int((job.directory / "attempt-1" / "work" / "began").read_text())
    eventually(lambda: not runs(pid), "the tasklet is gone")
    assert not job.record.state.is_terminal


# --- returned values


def test_t6_a_file_is_kept_with_the_job(attempt):
    job = attempt(
        Shell(script="echo one > a.txt; mkdir b; echo two > b/a.txt"), after=[gives.si("a.txt"), gives.si("b/a.txt")]
    )
    outcome = job.run()
    assert sorted(outcome.artifacts) == ["a-2.txt", "a.txt"]
    first, second = job.record.tasklets
    assert (list(first.files), list(second.files)) == (["a.txt"], ["a-2.txt"])
    stored = job.directory.parent / second.files["a-2.txt"].key
    assert stored.read_text() == "two\n"


def test_t6_a_file_is_moved_to_the_outputs(attempt):
    job = attempt(Shell(script="echo one > a.txt"), after=[gives.si("a.txt", move_to="plots")])
    assert job.run().state == "succeeded"
    assert (job.directory / "outputs" / "plots" / "a.txt").read_text() == "one\n"
    assert job.record.tasklets[0].parts[0].path == job.directory / "outputs" / "plots" / "a.txt"


@pytest.mark.parametrize("target", ["..", "a/../../b", "/nowhere/at/all", "a\0b"])
def test_t6_a_file_is_moved_nowhere_else(attempt, target):
    job = attempt(Shell(script="echo one > a.txt"), after=[gives.si("a.txt", move_to=target)])
    outcome = job.run()
    assert (outcome.state, outcome.reason) == ("failed", "tasklet")
    assert "the file 'a.txt' cannot be moved" in outcome.error


def test_t6_a_file_is_moved_to_an_output_root_and_of_an_output_there_are_two_then(attempt, tmp_path):
    (tmp_path / "archive").mkdir()
    job = attempt(
        Makes(script="echo one > made.txt"),
        after=[gives.si("made.txt", move_to=str(tmp_path / "archive" / "run"))],
        output_roots=(tmp_path / "archive",),
    )
    outcome = job.run()
    assert outcome.state == "succeeded", outcome.error
    assert (tmp_path / "archive" / "run" / "made.txt").read_text() == "one\n"
    assert outcome.outputs["made"].path.read_text() == "one\n"


def test_t6_what_nobody_knows_is_a_recorded_warning(attempt):
    job = attempt(Shell(script="true"), after=[strange.si()])
    outcome = job.run()
    assert outcome.state == "succeeded"
    assert "a value of type object was returned, which nobody knows how to show" in outcome.warnings[0]


class Collecting:
    name = "collecting"

    def __init__(self):
        self.notices = []

    async def deliver(self, notice):
        self.notices.append(notice)


def test_t9_people_are_told_and_files_from_elsewhere_stay_there(attempt, tmp_path):
    sink = Collecting()
    (tmp_path / "elsewhere").write_text("secret")
    files = ["a.txt", str(tmp_path / "elsewhere")]
    job = attempt(Shell(script="echo > a.txt"), after=[tells.si("{{ job.state }}", files)], sinks=[sink])
    outcome = job.run()
    (notice,) = sink.notices
    assert (notice.job_id, notice.task, notice.state, notice.text) == ("job-1", "shell", "succeeded", "succeeded")
    assert [path.name for path in notice.attachments] == ["a.txt"]
    assert "elsewhere' is not attached" in outcome.warnings[0]


def test_what_they_printed_is_on_the_record_and_on_disk(attempt):
    job = attempt(Shell(script="true"), after=[prints.si()])
    job.run()
    assert "to stdout" in job.record.tasklets[0].printed
    on_disk = json.loads((job.directory / "record.json").read_text())
    assert on_disk["tasklets"][0]["tasklet"] == "prints"


class WithSecret(Shell):
    environment: ClassVar = Environment(secrets={"KEY": "key"})


# --- monitors


def test_t3_monitors_are_told(attempt):
    job = attempt(Shell(script="true"), after=[add.si(1, b=2), call(fails, "no", required=False)])
    job.run()
    told = [(event.what, event.tasklet, event.args, event.kwargs) for event in job.events]
    assert told[:3] == [(what, "add", "(1)", "{'b': 2}") for what in ("received", "started", "succeeded")]
    assert [event.what for event in job.events[3:]] == ["received", "started", "failed"]
    assert job.events[2].facts["result"] == "3"
    assert job.events[-1].facts["exception"] == "ValueError: no"
    assert {event.id for event in job.events} == {run.id for run in job.record.tasklets}


def test_secrets_are_kept_out_of_what_tasklets_show(attempt, tmp_path):
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o700)
    (folder / "key").write_text("s3cr3t-v4lue")
    (folder / "key").chmod(0o600)
    job = attempt(WithSecret(script='echo "$KEY"'), after=["grep_text ../stdout.log ."], secrets=folder)
    assert job.run().state == "succeeded"
    assert job.record.tasklets[0].parts[0].total_rows == 1
    assert "s3cr3t-v4lue" not in repr(job.record)


def test_asyncio_is_not_blocked_meanwhile(attempt):
    job = attempt(Shell(script="true"), after=[sleeps.si(0.5)])
    gaps = []

    async def watch(job):
        loop = asyncio.get_running_loop()
        await began(job)
        for _ in range(20):
            before = loop.time()
            await asyncio.sleep(0.01)
            gaps.append(loop.time() - before)

    job.run(watch)
    assert sorted(gaps)[len(gaps) // 2] < 0.2


# --- which files


@pytest.mark.parametrize("name", ["copy_file a.txt {out}", "concat_files a.txt into={out}", "move_file {out} b.txt"])
def test_files_are_written_in_the_jobs_folder_and_in_output_roots_alone(attempt, tmp_path, name):
    (tmp_path / "root").mkdir()
    words = name.format(out=tmp_path / "elsewhere")
    refused = attempt(Shell(script="echo a > a.txt"), after=[words]).run()
    assert "lies neither in the job's folder nor in one of OUTRIDER_OUTPUT_ROOTS" in refused.error
    assert not (tmp_path / "elsewhere").exists()


def test_a_link_does_not_lead_out(attempt, tmp_path):
    job = attempt(Shell(script=f"echo a > a.txt; ln -s {tmp_path} out"), after=["copy_file a.txt out/b.txt"])
    assert "lies neither" in job.run().error
    assert not (tmp_path / "b.txt").exists()


def test_files_are_written_in_an_output_root(attempt, tmp_path):
    (tmp_path / "root").mkdir()
    copied = f"copy_file a.txt {tmp_path}/root/b.txt"
    job = attempt(Shell(script="echo a > a.txt"), after=[copied], output_roots=(tmp_path / "root",))
    assert job.run().state == "succeeded"
    assert (tmp_path / "root" / "b.txt").read_text() == "a\n"


def test_files_are_read_in_the_input_roots_if_there_are_any(attempt, tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "elsewhere").write_text("secret")
    after = ["checksum made.txt", call(counts, str(tmp_path / "elsewhere"), required=False)]
    job = attempt(Makes(script="echo a > made.txt"), after=after, input_roots=(tmp_path / "root",))
    outcome = job.run()
    assert ends(job) == [("checksum", "succeeded"), ("counts", "failed")]
    assert "lies neither in the job's folder nor in one of OUTRIDER_INPUT_ROOTS" in outcome.warnings[0]
