"""The process of a first-party task: what it says and how it ends, with an Executor in this process."""

import copy
import pickle

import pytest
from own_tasks import EndsBadly, Exits, Listens, MapsItself, SendsFiles, SendsLongName, greet

from outrider import Artifact, RetryPolicy
from outrider.tasks import Channel
from outrider.worker.verdict import Released, next_attempt


class Remembers(Channel):
    """It keeps what is reported."""

    def __init__(self):
        super().__init__()
        self.said = []

    def report(self, value):
        self.said.append(value)


def contents(attempt):
    """Return the first and the last character of each artefact by its name."""
    store = attempt.executor._site.store
    found = {}
    for message in attempt.said(Artifact):
        data = store.read(message.reference)
        found[message.name] = (data[:1], data[-1:], len(data))
    return found


def test_files_sent_by_threads_keep_their_own_content(attempt):
    run = attempt(SendsFiles())
    assert run.run().state == "succeeded"
    expected = {f"{n}/of-{t}/made.txt": (b"%d" % t, b"%d" % t, 100_000) for n in range(25) for t in range(4)}
    assert contents(run) == expected


@pytest.mark.parametrize("name", ["n" * 300 + ".tif", "ü" * 200 + ".tif", "a." + "s" * 300])
def test_a_file_may_be_sent_under_a_name_that_no_file_can_have(attempt, name):
    run = attempt(SendsLongName(name_sent=name))
    outcome = run.run()
    assert (outcome.state, outcome.error) == ("succeeded", "")
    (shown,) = contents(run)
    assert shown[:50] == name[:50]
    assert len(shown) <= 200


@pytest.mark.parametrize("task", [Listens(polls=False), greet.s("Bob", limits=["a"])], ids=["class", "function"])
def test_a_task_can_be_compared_hashed_copied_and_pickled(task):
    for again in (
        pickle.loads(pickle.dumps(task)),
        copy.copy(task),
        copy.deepcopy(task),
        type(task).from_parameters(task.parameters()),
    ):
        assert again == task
        assert type(again) is type(task)
        again.report("to the log")
    assert task != task.model_copy(update={task.task_fields()[0].name: "other"})
    assert hash(Listens(polls=False)) == hash(Listens(polls=False)) != hash(Listens())


def test_a_copy_of_a_task_speaks_as_the_task_does():
    task = Listens()
    task.attach(heard := Remembers())
    copy.deepcopy(task).report(1)
    copy.copy(task).report(2)
    pickle.loads(pickle.dumps(task)).report(3)
    assert heard.said == [1, 2]


def test_a_task_may_have_other_processes_call_its_methods(attempt):
    job = attempt(MapsItself(factor=3))
    assert job.run().result == [0, 3, 6, 9, 12]
    assert sorted(line for line in job.lines("stderr") if "report:" in line) == [
        f"INFO outrider.task: report: {n}" for n in range(5)
    ]


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("wordless", "ends_badly raised SaysNothing"),
        ("not Unicode", "ends_badly raised ValueError: half a pair: ?"),
        ("stderr closed", "ends_badly raised ValueError: no frames"),
        ("descriptors closed", "ends_badly ended with exit code 1"),
    ],
)
def test_an_end_that_is_hard_to_tell_is_told_as_well_as_can_be(attempt, how, error):
    outcome = attempt(EndsBadly(how=how)).run()
    assert (outcome.state, outcome.exit.exit_code, outcome.error) == ("failed", 1, error)
    said = "\n".join(outcome.stderr_tail)
    assert "During handling of the above exception" not in said
    assert ("the result cannot be sent: OSError" in said) == (how == "descriptors closed")


@pytest.mark.parametrize(
    ("code", "exit_code", "error"),
    [
        (75, 75, "SystemExit: 75"),
        (256, 1, "SystemExit: 256"),
        ("no frames", 1, "SystemExit: no frames"),
        (0, 1, "SystemExit, and ended without returning from run"),
        (None, 1, "SystemExit, and ended without returning from run"),
    ],
)
def test_a_task_that_exits_has_failed_with_its_exit_code(attempt, code, exit_code, error):
    outcome = attempt(Exits(code=code)).run()
    assert (outcome.state, outcome.reason, outcome.exit.exit_code) == ("failed", "exception", exit_code)
    assert outcome.error == f"exits raised {error}"


def test_a_task_that_exits_with_a_listed_code_is_attempted_again(attempt):
    outcome = attempt(Exits(code=75)).run()
    assert isinstance(next_attempt(outcome, 1, "w", RetryPolicy(max_attempts=2, exit_codes={75})), Released)
