"""Tasklets in YAML: every way to write them, references that are resolved now and those for later, lines of problems."""

from datetime import timedelta
from typing import ClassVar

import pytest
from own_tasklets import add, count_lines, total

from outrider import InvalidFile, TaskletCall, ThirdPartyTask, load_program
from outrider.tasklets import ROOTS, Tasklets
from outrider.tasks import Catalogue, load_job

KNOWN = Tasklets([add, count_lines, total])


class Measure(ThirdPartyTask):
    name: ClassVar[str] = "measure"
    executable: ClassVar[str] = "true"


@pytest.fixture
def loaded(tmp_path):
    """Write a job file of the task `measure` and load it."""

    def load(text: str, tasklets: Tasklets | None = KNOWN):
        path = tmp_path / "night.yaml"
        path.write_text(f"task: measure\n{text}")
        return load_job(path, Catalogue([Measure]), tasklets)

    return load


@pytest.fixture
def problems(loaded):
    """Load a file that is wrong, and return its problems."""

    def load(text: str) -> list[str]:
        with pytest.raises(InvalidFile) as refusal:
            loaded(text)
        return refusal.value.problems

    return load


EVERY_WAY = """\
before:
  - count-lines: log
  - count-lines: [log]
  - count-lines: {file: log}
  - count-lines log
after:
  - add
  - add y=2 --when=always --optional
  - tasklet: add
    arguments: {x: 1}
    when: failure
    required: false
    time_limit: 30s
    queue: web
without: plot
"""


def test_t2_every_way_to_write_one(loaded):
    job = loaded(EVERY_WAY)
    calls = [one.call for one in job.tasklets]
    log = TaskletCall(tasklet="count-lines", args=("log",))
    assert calls[:4] == [log, log, TaskletCall(tasklet="count-lines", kwargs={"file": "log"}), log]
    assert calls[4] == TaskletCall(tasklet="add")
    assert calls[5] == TaskletCall(tasklet="add", kwargs={"y": "2"}, when="always", required=False)
    assert calls[6] == TaskletCall(
        tasklet="add", kwargs={"x": 1}, when="failure", required=False, time_limit=timedelta(seconds=30), queue="web"
    )
    assert [(one.place, one.origin) for one in job.tasklets] == [
        *(("before", f"night.yaml line {line}") for line in (3, 4, 5, 6)),
        *(("after", f"night.yaml line {line}") for line in (8, 9, 10)),
    ]
    assert job.without == ("plot",)


def test_t4_the_files_own_references_are_resolved_now_and_those_of_the_run_stay(loaded):
    job = loaded(
        "values: {run: 12, name: two words, limit: 90s, strange: '\\{{ x'}\n"
        "after:\n"
        "  - add: ['{{ run }}', '{{ result }}']\n"
        "  - count-lines '{{ run }}/{{ name }} {{ job.id }} \\{{'\n"
        "  - count-lines {{ strange }}\n"
        "  - {tasklet: add, time_limit: '{{ limit }}', arguments: ['{{ parameters }}']}\n"
    )
    calls = [one.call for one in job.tasklets]
    assert calls[0].args == (12, "{{ result }}"), "a reference alone keeps its type"
    assert calls[1].args == ("12/two words {{ job.id }} \\{{",)
    assert calls[2].args == ("\\{{ x",), "what a name led to is no reference for the worker"
    assert calls[3].time_limit == timedelta(seconds=90)


def test_a_list_may_be_shared(loaded, tmp_path):
    (tmp_path / "set.yaml").write_text("usual:\n  - add: [1]\n  - add: ['\\{{ result }}', '\\{{ run }}']\nrun: 3\n")
    job = loaded("use: set.yaml\nafter: '{{ usual }}'\n")
    assert [one.call.args for one in job.tasklets] == [(1,), ("{{ result }}", 3)]
    assert {one.origin for one in job.tasklets} == {"night.yaml line 3"}


@pytest.mark.parametrize("root", ROOTS)
def test_the_names_of_the_run_are_nobody_elses(problems, tmp_path, root):
    (tmp_path / "set.yaml").write_text(f"{root}: 1\n")
    words = "the names job, outputs, parameters, previous, result are for references of tasklets; take another"
    assert problems(f"values:\n  {root}: 1\n") == [f"line 3: values.{root}: {words}"]
    assert problems("use: set.yaml\n") == [f"line 1: {root}: {words}"]


def test_t2_all_problems_are_said_at_once_with_their_lines(problems):
    found = problems(
        "before:\n"
        "  - add: [1]\n"
        "  - add: ['{{ result }}']\n"
        "after:\n"
        "  - ad: [1]\n"
        "  - add:\n"
        "      z: 1\n"
        "  - add: {x: many}\n"
        "  - add:\n"
        "      x: '{{ results }}'\n"
        "  - add: ['{{ parameters.bins }}']\n"
        "  - {tasklet: add, when: soon}\n"
        "  -\n"
        "  - {add: [1], total: [1]}\n"
        "  - add x='1\n"
        "  - {tasklet: add, queue: '{{ job.id }}'}\n"
    )
    assert [problem.partition(": ")[0] for problem in found] == [
        f"line {line}" for line in (4, 6, 7, 9, 11, 12, 13, 14, 15, 16, 17)
    ]
    for number, words in enumerate(
        (
            "before.1: wrong use of tasklet 'add': argument 1: {{ result }}: before the program there is no 'result'",
            "after.0: no tasklet is called 'ad'; did you mean 'add'?",
            "got an unexpected keyword argument 'z'",
            "x='many': Input should be a valid integer",
            "after.3.add.x: {{ results }}: there is no 'results'; did you mean 'result'?",
            "{{ parameters.bins }}: there is no 'bins'",
            "when='soon'",
            "after.6: wrong use of tasklet 'None': give a signature",
            "give one name with its arguments",
            "the quote ' is not closed",
            "queue: no reference can stand here",
        )
    ):
        assert words in found[number]


@pytest.mark.parametrize("text", ["after: add\n", "after: {add: [1]}\n", "after: 3\n", "without: {a: b}\n"])
def test_what_is_no_list_is_said(problems, text):
    (problem,) = problems(text)
    assert problem.startswith("line 2: ")
    assert "valid list" in problem


def test_without_knowing_the_tasklets_names_are_left_for_the_submission(loaded):
    assert loaded("after: [whatever: {a: 1}]\n", None).tasklets[0].call.tasklet == "whatever"


PROGRAM = """\
executable: sort
parameters:
  key: {type: int, flag: -k}
  after: {type: int, flag: -a, default: 1}
before:
  - checksum: ["{{ parameters.key }}"]
after:
  - notify: ["{{ job.id }}"]
"""


def test_t2_a_program_file_brings_tasklets_along(tmp_path):
    (tmp_path / "program.yaml").write_text(PROGRAM)
    program = load_program(tmp_path / "program.yaml")
    assert program.before == (TaskletCall(tasklet="checksum", args=("{{ parameters.key }}",)),)
    assert program.after == (TaskletCall(tasklet="notify", args=("{{ job.id }}",)),)
    assert program.from_parameters({"key": 1, "after": 5}).parameters() == {"key": 1, "after": 5}


def test_problems_of_a_program_file_have_their_lines(tmp_path):
    (tmp_path / "program.yaml").write_text(
        PROGRAM.replace("parameters.key", "parameters.kay").replace("job.id", "jobs")
    )
    with pytest.raises(InvalidFile) as refusal:
        load_program(tmp_path / "program.yaml")
    first, second = refusal.value.problems
    assert first.startswith("line 6: before.0: ")
    assert "there is no 'kay'; did you mean 'key'?" in first
    assert second.startswith("line 8: after.0: ")
    assert "there is no 'jobs'; did you mean 'job'?" in second


def test_the_first_before_the_program_has_nothing_to_take_and_the_next_has(problems):
    (problem,) = problems("before:\n  - add\n  - add\n")
    assert problem.startswith("line 3: before.0: wrong use of tasklet 'add': missing a required argument: 'x'")
