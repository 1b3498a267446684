"""Which tasklets a job gets, and what is refused before anything is recorded."""

from typing import ClassVar

import pytest
from own_tasklets import add, count_lines, total

from outrider import InvalidTasklet, TaskletCall, ThirdPartyTask, UnknownTasklet
from outrider.client import SubmitOptions
from outrider.client.planning import plan_again, plan_of
from outrider.communicators import JobRecord, JobSpec, JobState
from outrider.tasklets import PlannedTasklet, TaskletPlan, Tasklets, check_calls
from outrider.tasks import JobDescription
from outrider.tasks.files import Document

KNOWN = Tasklets([add, count_lines, total])


class Measure(ThirdPartyTask):
    name: ClassVar[str] = "measure"
    executable: ClassVar[str] = "true"
    before: ClassVar = ["add 1"]
    after: ClassVar = ["total", "count-lines log"]


def names(plan: TaskletPlan) -> list[tuple[str, str, str]]:
    return [(one.place, one.call.tasklet, one.origin) for one in plan.tasklets]


def job_file(*tasklets: PlannedTasklet, without: tuple[str, ...] = ()) -> JobDescription:
    return JobDescription("measure", Document(None, {}, {}), tasklets=tasklets, without=without)


# Which ones


def test_t2_the_classs_own_come_first_then_those_of_the_file_then_those_of_the_submission():
    file = job_file(PlannedTasklet(TaskletCall.of("add 2"), "after", "night.yaml line 7"))
    plan = plan_of(Measure(), file, SubmitOptions(before=add.s(3), after=["add 4"]))
    assert names(plan) == [
        ("before", "add", "task measure"),
        ("after", "total", "task measure"),
        ("after", "count-lines", "task measure"),
        ("after", "add", "night.yaml line 7"),
        ("before", "add", "given"),
        ("after", "add", "given"),
    ]
    assert [call.args for call in plan.before] == [("1",), (3,)]
    assert [call.tasklet for call in plan.after] == ["total", "count-lines", "add", "add"]


def test_t2_a_file_leaves_out_what_is_the_classs_and_a_submission_what_is_either():
    added = PlannedTasklet(TaskletCall.of("add 2"), "after", "night.yaml line 7")
    plan = plan_of(Measure(), job_file(added, without=("add",)), SubmitOptions())
    assert [(place, name) for place, name, _ in names(plan)] == [
        ("after", "total"),
        ("after", "count-lines"),
        ("after", "add"),
    ], "the file's own `add` stays"
    less = plan_of(Measure(), job_file(added), SubmitOptions(without=["add", "total"], after="add 5"))
    assert [call.args for call in less.after] == [("log",), ("5",)], "and so does the submission's"
    assert less.before == ()


@pytest.mark.parametrize("without", ["all", ["all"], ["all", "total"]])
def test_all_stands_for_every_one_also_where_there_is_none(without):
    assert plan_of(Measure(), None, SubmitOptions(without=without)) == TaskletPlan()
    assert TaskletPlan().without(without) == TaskletPlan()


def test_what_is_not_there_cannot_be_left_out():
    with pytest.raises(InvalidTasklet, match="'totla': there is none of that name to leave out; did you mean 'total'"):
        plan_of(Measure(), None, SubmitOptions(without="totla"))
    with pytest.raises(InvalidTasklet, match=r"to leave out$"):
        TaskletPlan().without(["plot"])


def test_a_repeated_job_has_the_recorded_ones_whatever_the_class_says_today():
    spec = JobSpec(id="1", task="measure", version="1", parameters={}, queue="q", after=(TaskletCall.of("add 7"),))
    record = JobRecord(spec=spec, state=JobState.SUCCEEDED, queued_at="2026-11-20T00:00:00Z")
    again = plan_again(record, SubmitOptions(before="add 8"))
    assert names(again) == [("after", "add", "job 1"), ("before", "add", "given")]
    assert plan_again(record, SubmitOptions(without="add")) == TaskletPlan()


# What is refused


def check(*calls: str, after: bool = True) -> None:
    check_calls([TaskletCall.of(words) for words in calls], KNOWN, after=after, parameters={"bins", "images"})


def test_t4_references_to_what_is_known_pass():
    check("add {{ result.peak }}", "add {{ previous }}", "add '{{ parameters.bins }}'", "add {{ job.exit_code }}")
    check("add {{ outputs.table }}", r"count-lines \{{result}}")
    check("add {{ parameters.images[0] }}", "add {{ previous }}", after=False)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("add {{ results.peak }}", r"argument 1: {{ results.peak }}: there is no 'results'; did you mean 'result'\?"),
        ("add x={{ anything }}", "x: {{ anything }}: there is no 'anything'; there are job, outputs, parameters"),
        ("add {{ parameters.bin }}", "there is no 'bin'; did you mean 'bins'"),
        ("add {{ job.exitcode }}", "there is no 'exitcode'; did you mean 'exit_code'"),
        ("add {{ result. }}", "this is none of {{ name }}"),
        ("total values=a values='{{ nowhere }}'", "values: {{ nowhere }}: there is no 'nowhere'"),
        ("add '{{ result'", r"there is no }} to it; write \\{{"),
        ("add 1 --queue={{job.id}}", "queue: no reference can stand here"),
    ],
)
def test_t4_references_to_what_is_not_there_are_named(words, problem):
    with pytest.raises(InvalidTasklet, match=problem):
        check(words)


@pytest.mark.parametrize("root", ["result.peak", "outputs.table"])
def test_t4_before_the_program_there_is_nothing_of_it(root):
    with pytest.raises(InvalidTasklet, match=f"before the program there is no '{root.partition('.')[0]}'"):
        check("add 1", f"add {{{{ {root} }}}}", after=False)


def test_t4_before_the_first_there_is_nothing():
    with pytest.raises(InvalidTasklet, match=r"{{ previous }}: before the first tasklet there is nothing"):
        check("add {{ previous }}", after=False)


def test_all_mistakes_in_one_call_are_said_at_once():
    with pytest.raises(InvalidTasklet) as raised:
        check("add {{ a }} y={{ b }}")
    assert len(raised.value.problems) == 2


def test_a_plan_is_checked_on_both_sides():
    TaskletPlan().plus("add 1", "add", "given").check(KNOWN, ())
    with pytest.raises(InvalidTasklet, match="missing a required argument: 'x'"):
        TaskletPlan().plus("add", (), "given").check(KNOWN, ())
    with pytest.raises(UnknownTasklet, match="did you mean 'total'"):
        TaskletPlan().plus((), ["add", "totl"], "given").check(KNOWN, ())
