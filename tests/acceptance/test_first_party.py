"""Issue by issue what a first-party task can say and hear, with a real worker: C4, C8, J8, X2, E1."""

import time

import numpy as np
import pytest
from own_tasks import (
    Big,
    Ends,
    FindPeaks,
    Listens,
    Peak,
    Prints,
    RaisesMuch,
    Reports,
    ReportsBadly,
    SaysMuchAtTheEnd,
    Sleeps,
    Undone,
    Writes,
    add,
)
from support import eventually

from outrider import Artifact, Finished, LogLines, Progress, Report

pytestmark = pytest.mark.usefixtures("worker")


def reports(job, timeout=20):
    return [message.value for message in job.watch(timeout=timeout) if isinstance(message, Report)]


def test_a_task_reports_objects_progress_lines_and_files_and_returns_a_typed_result(producer):
    job = producer.submit(FindPeaks(count=3))
    messages = list(job.watch(timeout=20))
    result = job.result()
    assert [type(peak) for peak in result] == [Peak] * 3
    assert [(peak.position, peak.profile.dtype, peak.profile.shape) for peak in result] == [
        (n / 2, np.float32, (n + 1,)) for n in range(3)
    ]
    said = [message.value for message in messages if isinstance(message, Report)]
    assert [value["position"] for value in said] == [0, 0.5, 1.0]
    assert all(isinstance(value["profile"], np.ndarray) for value in said)
    assert [message.done for message in messages if isinstance(message, Progress)][-1] == 3
    assert any("looking for 3 peaks" in line for m in messages if isinstance(m, LogLines) for line in m.lines)
    (artifact,) = [message for message in messages if isinstance(message, Artifact)]
    assert (artifact.name, artifact.reference.size) == ("table.txt", 6)
    assert isinstance(messages[-1], Finished)


def test_c4_every_message_before_the_end_arrives_in_order(producer):
    job = producer.submit(Reports(count=500))
    assert reports(job) == list(range(500))
    assert job.result() == 500


def test_c4_a_large_array_travels_by_reference_and_keeps_its_shape(producer, other_process):
    job = producer.submit(Big(size=8_000_000))
    value = job.result(timeout=30)
    assert (value.dtype, value.shape, int(value[1, -1])) == (np.int64, (2, 500_000), 999_999)
    code = "import outrider, sys; v = outrider.job(sys.argv[1]).result(); print(type(v).__name__, v.shape)"
    assert other_process(code, job.id).stdout.strip() == "ndarray (2, 500000)"


def test_a_plain_function_is_a_task_and_stays_a_function(producer):
    assert add(1) == 3
    assert producer.submit(add.s(2, right=5)).result(timeout=20) == 7
    assert producer.submit("add", left=1, right=1).result(timeout=20) == 2


def test_outputs_and_prints_are_as_with_programs(producer):
    job = producer.submit(Writes(text="hello"))
    outcome = job.wait(timeout=20)
    assert (outcome.result, outcome.outputs["made"].path.read_text()) == ("HELLO", "hello")
    assert (job.record().run.directory.parent / "stdout.log").read_text() == "printed\n"


@pytest.mark.parametrize(
    ("how", "reason", "error"),
    [
        ("raise", "exception", "ends raised ValueError: no frames"),
        ("exit", "exception", "SystemExit: 7"),
        ("vanish", "result", "without returning"),
        ("kill", "signal", "SIGKILL"),
        ("unpicklable", "exception", "cannot be sent"),
    ],
)
def test_e1_whatever_ends_a_task_is_told_with_its_reason(producer, how, reason, error):
    outcome = producer.submit(Ends(how=how)).wait(timeout=20)
    assert (outcome.state, outcome.reason) == ("failed", reason)
    assert error in outcome.error
    if how == "raise":
        assert 'raise ValueError("no frames")' in "\n".join(outcome.stderr_tail)


def test_c8_messages_and_cancel_reach_the_task_within_a_second(producer):
    job = producer.submit(Listens())
    said = (message.value for message in job.watch(timeout=30) if isinstance(message, Report))
    assert next(said) == "ready"
    begun = time.monotonic()
    job.send(3)
    assert next(said) == 3
    job.send(np.ones(100_000))
    assert next(said) == 100_003
    assert time.monotonic() - begun < 2
    begun = time.monotonic()
    job.cancel()
    assert next(said) == "cancelled"
    assert time.monotonic() - begun < 1
    assert job.wait(timeout=10).state == "cancelled"


def test_c8_what_was_sent_before_the_start_is_there(producer):
    job = producer.submit(Listens())
    job.send(5)
    job.send("stop")
    assert job.result(timeout=20) == 5
    with pytest.raises(producer.config.errors.JobClosed):
        job.send(1)


def test_x2_a_task_that_asks_for_nothing_is_interrupted(producer, tmp_path):
    job = producer.submit(Sleeps(mark=str(tmp_path / "mark")))
    assert next(m.value for m in job.watch(timeout=20) if isinstance(m, Report)) == "ready"
    job.cancel()
    assert job.wait(timeout=10).state == "cancelled"
    eventually((tmp_path / "mark").exists, "the task noted its interruption", 1)


def test_an_array_that_is_sent_while_the_task_still_imports_is_there(producer):
    jobs = [producer.submit(Listens()) for _ in range(6)]
    for job in jobs:
        job.send(np.ones(4))
        job.send("stop")
    assert [job.result(timeout=60) for job in jobs] == [4] * 6


def test_what_a_task_prints_is_told_at_once(producer):
    job = producer.submit(Prints())
    for message in job.watch(timeout=20):
        if isinstance(message, LogLines) and "printed" in message.lines:
            break
    assert job.status() == "running"
    job.send("go")
    assert job.wait(timeout=20).state == "succeeded"


def test_artifacts_can_be_read_and_saved_also_from_the_shell(producer, cli, tmp_path):
    job = producer.submit(FindPeaks(count=1))
    job.wait(timeout=20)
    assert job.artifacts()["table.txt"].read() == b"peaks\n"
    assert "table.txt" in cli("artifacts", job.id, "--save", str(tmp_path / "kept")).stdout
    assert (tmp_path / "kept" / "table.txt").read_text() == "peaks\n"
    assert not list((job.record().run.directory.parent / "artifacts").iterdir())


def test_a_value_can_be_sent_from_the_shell(producer, cli):
    job = producer.submit(Listens())
    assert cli("send", job.id, "[1, 2]").returncode == 0
    assert cli("send", job.id, "stop").returncode == 0
    assert job.result(timeout=20) == 3
    assert "only an open job" in cli("send", job.id, "1").stderr


def test_a_module_that_submits_when_it_is_imported_is_told_so(other_process, tmp_path):
    (tmp_path / "submits.py").write_text("import outrider\nfrom own_tasks import add\noutrider.submit(add.s(1))\n")
    done = other_process("import outrider; outrider.submit('add', left=1)", OUTRIDER_TASKS="own_tasks,submits")
    assert "'submits' submits while it is imported as a task module" in done.stderr


@pytest.mark.parametrize(
    ("given", "words"),
    [(add, r"give add\.s\(\.\.\.\)"), (FindPeaks, r"give FindPeaks\(\.\.\.\)"), (Undone(), "says not what to run")],
)
def test_what_is_no_task_is_an_error_that_says_what_to_give(producer, given, words):
    with pytest.raises(TypeError, match=words):
        producer.submit(given)


def test_c4_what_is_slow_to_read_is_read_although_the_process_has_ended(producer):
    job = producer.submit(SaysMuchAtTheEnd())
    assert reports(job) == [1, 1, 1]
    assert job.result() == 5


def test_e2_a_report_that_cannot_be_packed_costs_that_report_alone(producer):
    job = producer.submit(ReportsBadly())
    messages = list(job.watch(timeout=20))
    assert [m.value for m in messages if isinstance(m, Report)] == ["good"]
    lines = [line for m in messages if isinstance(m, LogLines) for line in m.lines]
    assert any("report not kept: AttributeError" in line for line in lines)
    assert job.result() == 1


def test_the_last_words_of_a_task_are_bounded(producer):
    outcome = producer.submit(RaisesMuch()).wait(timeout=30)
    assert (outcome.reason, outcome.error.startswith("raises_much raised ValueError: xxx")) == ("exception", True)
    assert len(outcome.model_dump_json()) < 100_000


def test_c8_a_job_takes_a_bounded_number_of_messages_and_all_of_them_arrive(producer):
    job = producer.submit(Listens())
    for _ in range(999):
        job.send(1)
    job.send("stop")
    with pytest.raises(producer.config.errors.TooManyMessages, match="was sent 1000 messages"):
        job.send(1)
    assert job.result(timeout=30) == 999
