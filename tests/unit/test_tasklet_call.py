"""The ways in which a job asks for a tasklet, and what the tasklet is called with."""

from datetime import timedelta

import pytest
import yaml
from celery import Celery, chain, chord, group
from own_tasklets import add, count_lines, largest, total, wait

import outrider
from outrider import InvalidTasklet, TaskletCall, UnknownTasklet
from outrider.tasklets import NOTHING, Tasklets, check_calls, concat_files, filled, tasklet_calls

KNOWN = Tasklets([add, count_lines, largest, total, wait, concat_files])


def call(name: str, *args, **kwargs) -> TaskletCall:
    return TaskletCall(tasklet=name, args=args, kwargs=kwargs)


# Ways to write one


def test_a_signature_says_all_by_itself():
    made = TaskletCall.of(add.s(2, y="{{ bins }}").set(queue="web", time_limit=30))
    assert made == TaskletCall(
        tasklet="add", args=(2,), kwargs={"y": "{{ bins }}"}, queue="web", time_limit=timedelta(seconds=30)
    )
    assert (made.when, made.required, made.partial) == ("success", True, True)


def test_an_immutable_signature_takes_nothing_from_before():
    assert not TaskletCall.of(add.si(1)).partial


def test_options_come_with_a_signature():
    made = TaskletCall.of(add.s(2).set(time_limit=5), when="always", required=False, time_limit="30s")
    assert (made.when, made.required, made.time_limit) == ("always", False, timedelta(seconds=30))


def test_a_signature_may_have_come_as_json():
    signature = {**add.s(2)}
    assert TaskletCall.of(signature) == call("add", 2)


def test_a_tasklet_stands_for_itself_without_arguments():
    assert TaskletCall.of(add) == call("add")
    assert TaskletCall.of(call("add", 1), when="failure").when == "failure"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("plot", call("plot")),
        ("plot:", call("plot")),
        ("plot: {title: LaB6}", call("plot", title="LaB6")),
        ("plot: ['{{ result.x }}', 2]", call("plot", "{{ result.x }}", 2)),
        ("notify: done", call("notify", "done")),
        ("{tasklet: plot, arguments: {x: 1}, when: always, required: false, time_limit: 30s, queue: web}",
         TaskletCall(tasklet="plot", kwargs={"x": 1}, when="always", required=False, time_limit="30s", queue="web")),
        ("{tasklet: plot, partial: false}", TaskletCall(tasklet="plot", partial=False)),
    ],
)  # fmt: skip
def test_yaml_asks_for_one(document, expected):
    assert TaskletCall.of(yaml.safe_load(document)) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("plot", call("plot")),
        ("plot x={{ result.radial }} title='a b'", call("plot", x="{{ result.radial }}", title="a b")),
        ('grep_text log.txt "R = (?P<r>[\'0-9.]+)"', call("grep_text", "log.txt", "R = (?P<r>['0-9.]+)")),
        ("grep_text log.txt pattern=a\\d+=b", call("grep_text", "log.txt", pattern="a\\d+=b")),
        ("notify 'a=b' '--x' note=", call("notify", "a=b", "--x", note="")),
        ("add {{ bins | default('a b') }}0012", call("add", "{{ bins | default('a b') }}0012")),
        ("checksum files=a files=b files='c d'", call("checksum", files=["a", "b", "c d"])),
        ("add 1 --when=always --optional --time-limit=30s --queue=web",
         TaskletCall(tasklet="add", args=("1",), when="always", required=False, time_limit="30s", queue="web")),
    ],
)  # fmt: skip
def test_words_on_the_command_line_ask_for_one(words, expected):
    assert TaskletCall.of(words) == expected


def test_it_survives_json():
    made = TaskletCall.of(add.s([1, {"a": None}]), when="always", time_limit="90s")
    assert TaskletCall.model_validate_json(made.model_dump_json()) == made


def test_a_chain_stands_for_its_tasklets_in_order():
    calls = tasklet_calls([count_lines.s("log"), chain(add.s(1), chain(add.s(2), add.si(3)))])
    assert [(c.tasklet, c.args) for c in calls] == [
        ("count-lines", ("log",)),
        ("add", (1,)),
        ("add", (2,)),
        ("add", (3,)),
    ]
    assert tasklet_calls(add.s(1) | add.s(2)) == (call("add", 1), call("add", 2))


def test_a_chain_from_json_may_hold_chains():
    inner = {**chain(add.s(1), add.s(2))}
    outer = {**chain(add.s(0), add.s(3)), "kwargs": {"tasks": [{**add.s(0)}, inner]}}
    assert [call.args for call in tasklet_calls(outer)] == [(0,), (1,), (2,)]


def test_one_alone_is_a_list_of_one():
    assert tasklet_calls("plot x=1") == tasklet_calls({"plot": {"x": "1"}}) == (call("plot", x="1"),)
    assert tasklet_calls(add) == tasklet_calls(call("add")) == (call("add"),)


FOREIGN = Celery("theirs", set_as_current=False).signature("theirs.resize")


@pytest.mark.parametrize(
    ("what", "problem"),
    [
        (FOREIGN, "'theirs.resize': this is another Celery task; make it a tasklet"),
        (group(add.s(1), add.s(2)), "'celery.group': the tasklets of a job run one after another: list them"),
        (chord([add.s(1)], add.s()), "run one after another"),
        (chain(add.s(1), add.s(2)).set(queue="web"), "queue='web' means nothing; set it for each tasklet"),
        (add.s(1).set(countdown=5), "'add': beside a job, a signature's countdown=5 means nothing"),
        (add.s(1).set(link=add.s(2)), "a signature's link="),
        (3, "'3': give a signature such as plot.s()"),
        ({}, "'{}': give one name with its arguments"),
        ({"plot": {}, "when": "always"}, "'plot, when': give one name with its arguments"),
        ({"plot": {1, 2}}, "'plot': arguments are a mapping or a list"),
        ({"tasklet": "plot", "wen": "always"}, "'plot': wen: unknown; beside tasklet there are arguments, when"),
        ({"tasklet": "plot", "arguments": {}, "kwargs": {}}, "give arguments, or args and kwargs"),
        ({"tasklet": "plot", "when": "sometimes"}, "when='sometimes': Input should be 'success', 'failure' or 'always'"),
        ({"tasklet": "plot", "time_limit": "soon"}, "'plot': time_limit='soon'"),
        ({"tasklet": "plot", "time_limit": 0}, "time_limit=0: Input should be greater than"),
        ({"tasklet": "plot", "queue": ""}, "queue=''"),
        ({"tasklet": ["plot"]}, "tasklet=\\['plot'\\]: Input should be a valid string"),
        ({"two words": None}, "tasklet='two words': String should match"),
        ({1: None}, "'1': tasklet=1: Input should be a valid string"),
        ({"plot": {"x": yaml.safe_load("2026-01-02")}}, "'plot': kwargs.x=.*input was not a valid JSON value"),
        ("", "name a tasklet first"),
        ("plot title='a", "the quote ' is not closed"),
        ("plot --wen=always", "'--wen=always' is none of --when=always, --optional"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_an_error_that_names_it(what, problem):
    with pytest.raises(InvalidTasklet, match=problem):
        tasklet_calls([what])


# Checks before anything runs


def check(*calls: TaskletCall, after: bool = True) -> None:
    check_calls(calls, KNOWN, after=after)


def test_calls_that_fit_pass():
    check(call("add"), call("add", "{{ result }}", y="3"), call("count-lines", "log"), call("total", "[1, 2]"))
    check(call("count-lines", "log"), call("add"), after=False)


def test_a_name_that_nobody_has_brings_those_that_come_close():
    with pytest.raises(UnknownTasklet, match="no tasklet is called 'ad'; did you mean 'add'"):
        check(call("ad"))


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (call("add", z=1), r"'add': got an unexpected keyword argument 'z'; it takes \(x: int, y: int = 1\)"),
        (call("add", 1, 2, 3), "too many positional arguments"),
        (call("add", "many"), "x='many': Input should be a valid integer"),
        (call("add", 1, y=[]), r"y=\[\]: Input should be a valid integer"),
        (call("total", [1, "two"]), r"values=\[1, 'two'\]: Input should be a valid number"),
        (call("total", [1], 2, "three"), "more='three': Input should be a valid number"),
        (call("total", [1], 2, fourth="four"), "others='four': Input should be a valid number"),
        (TaskletCall(tasklet="add", partial=False), "missing a required argument: 'x'"),
    ],
)
def test_arguments_that_do_not_fit_are_named(wrong, problem):
    with pytest.raises(InvalidTasklet, match=problem):
        check(wrong)


def test_the_first_before_the_program_has_nothing_to_take():
    with pytest.raises(InvalidTasklet, match="'add': missing a required argument: 'x'"):
        check(call("add"), after=False)


@pytest.mark.parametrize("value", ["{{ result }}", "{{ parameters.a }} and {{ job.id }}"])
def test_what_a_reference_will_be_is_not_known_yet(value):
    check(call("add", value), call("total", [value]), call("largest", {"a": value}))


# What the tasklet is called with


@pytest.mark.parametrize(
    ("asked", "tasklet", "previous", "expected"),
    [
        (call("add"), add, 5, ((5,), {})),
        (call("add", y=2), add, 5, ((5,), {"y": 2})),
        (call("add", 1), add, 5, ((1,), {})),
        (call("add", x=1), add, 5, ((), {"x": 1})),
        (call("add"), add, None, ((None,), {})),
        (TaskletCall(tasklet="add", kwargs={"x": 1}, partial=False), add, 5, ((), {"x": 1})),
        (call("concat_files", "a"), concat_files, "b", (("a",), {})),
    ],
)
def test_what_came_before_takes_the_place_of_the_argument_that_is_missing(asked, tasklet, previous, expected):
    assert filled(asked, tasklet, previous) == expected


def test_what_came_before_is_first_as_in_a_chain_of_celery():
    @outrider.tasklet
    def joined(first, second):
        return first + second

    assert filled(call("joined", "b"), joined, "a") == (("a", "b"), {})


def test_without_anything_before_an_argument_stays_missing():
    with pytest.raises(InvalidTasklet, match="missing a required argument: 'x'"):
        filled(call("add"), add, NOTHING)
    with pytest.raises(InvalidTasklet, match="missing a required argument: 'x'"):
        filled(TaskletCall(tasklet="add", partial=False), add, 5)
