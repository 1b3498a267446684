"""Bad input gets a clear error in the right place; nothing is lost, and the worker lives."""

import base64
import json
import pickle
import uuid

import pytest
from celery import Celery
from little_tasks import CopyFile, NoProgram, Returns, Shell, ShellWithOutput, Sum
from support import RedisServer, eventually


@pytest.fixture
def stranger(environment, redis_server):
    """A Celery app that knows nothing of Outrider."""
    url = f"redis+socket://{redis_server.socket}?virtual_host=0"
    with Celery("stranger", broker=url, backend=f"redis+socket://{redis_server.socket}?virtual_host=0") as app:
        yield app


@pytest.fixture(autouse=True)
def worker_lives(worker, producer):
    """After each test of this file the same worker must still do its work."""
    yield
    assert worker.process.poll() is None
    assert producer.submit(Sum(left=20, right=22)).result(timeout=20) == 42


def failure(job):
    outcome = job.wait(timeout=20)
    assert outcome.state == "failed"
    return outcome


def test_a_missing_program_is_a_clear_failure_before_anything_runs(producer):
    outcome = failure(producer.submit(NoProgram()))
    assert outcome.reason == "environment"
    assert "no-such-program" in outcome.error
    assert outcome.exit is None


def test_an_unreadable_input_is_a_clear_failure(producer, tmp_path):
    outcome = failure(producer.submit(CopyFile(source=tmp_path / "missing")))
    assert (outcome.reason, outcome.exit) == ("validation", None)
    assert str(tmp_path / "missing") in outcome.error


def test_p7_a_declared_output_must_be_there_and_must_not_be_empty(producer):
    for script, words in (("true", "was not written"), (": > made.txt", "is empty")):
        outcome = failure(producer.submit(ShellWithOutput(script=script)))
        assert outcome.reason == "missing_output"
        assert words in outcome.error
    assert producer.submit(ShellWithOutput(script="echo x > made.txt")).result(timeout=20) == "x\n"


def test_a_result_that_cannot_be_read_is_a_clear_failure(producer):
    outcome = failure(producer.submit(ShellWithOutput(script=r"printf '\377' > made.txt")))
    assert outcome.reason == "result"
    assert "UnicodeDecodeError" in outcome.error


def test_a_work_root_that_cannot_be_written_is_a_clear_failure(producer, start_worker, other_process, tmp_path):
    (tmp_path / "file").touch()
    start_worker(OUTRIDER_QUEUE="rootless", OUTRIDER_WORK_ROOT=str(tmp_path / "file" / "jobs"))
    code = """
import outrider
from little_tasks import Sum
print(outrider.submit(Sum(left=1, right=2)).wait(timeout=20).message)
"""
    assert "OUTRIDER_WORK_ROOT" in other_process(code, OUTRIDER_QUEUE="rootless").stdout


def test_a_task_that_the_worker_does_not_have_is_a_clear_failure(producer, other_process):
    code = """
import outrider
class Unheard(outrider.ThirdPartyTask):
    executable = "true"
print(outrider.submit(Unheard()).wait(timeout=20).message)
"""
    assert "the worker has no task 'unheard'" in other_process(code).stdout


def test_a_producer_without_outrider_gets_its_job_by_name(producer, stranger):
    sent = stranger.send_task("outrider.sum", kwargs={"left": 1, "right": 2}, queue="outrider")
    assert sent.get(timeout=20) == 3
    assert producer.job(sent.id).record().state == "succeeded"
    assert producer.job(sent.id).result(timeout=5) == 3


def test_wrong_parameters_from_a_stranger_are_the_jobs_failure(producer, stranger):
    sent = stranger.send_task("outrider.sum", kwargs={"left": "many", "extra": 1}, queue="outrider")
    with pytest.raises(Exception, match="left='many'"):
        sent.get(timeout=20)
    outcome = producer.job(sent.id).wait(timeout=20)
    assert outcome.reason == "validation"
    for part in ("left='many'", "right: is required", "extra: there is no such field"):
        assert part in outcome.error


def test_positional_arguments_from_a_stranger_are_the_jobs_failure(producer, stranger):
    sent = stranger.send_task("outrider.sum", args=[1, 2], queue="outrider")
    eventually(lambda: _state(producer, sent.id) == "failed", "the job has failed")
    assert "positional" in producer.job(sent.id).record().outcome.error


def _state(producer, job_id):
    try:
        return producer.job(job_id).status()
    except producer.JobNotFound:
        return None


def _push(redis_server, body, content_type, headers):
    message = {
        "body": base64.b64encode(body).decode(),
        "content-type": content_type,
        "content-encoding": "binary",
        "headers": headers,
        "properties": {
            "delivery_tag": str(uuid.uuid4()),
            "delivery_info": {"exchange": "", "routing_key": "outrider"},
            "body_encoding": "base64",
            "delivery_mode": 2,
            "priority": 0,
        },
    }
    redis_server.client.lpush("outrider", json.dumps(message))


@pytest.mark.parametrize("kind", ["pickle", "yaml"])
def test_s1_a_message_that_is_not_json_is_refused_and_logged(kind, worker, redis_server, tmp_path):
    bomb = tmp_path / "exploded"
    body = (
        pickle.dumps(Bomb(str(bomb)))
        if kind == "pickle"
        else f"!!python/object/apply:os.system ['touch {bomb}']".encode()
    )
    size = len(worker.text())
    headers = {"id": str(uuid.uuid4()), "task": "outrider.sum", "lang": "py"}
    _push(redis_server, body, f"application/x-{'python-serialize' if kind == 'pickle' else 'yaml'}", headers)
    eventually(lambda: "Refusing to deserialize" in worker.text()[size:], "the refusal is in the log")
    assert not bomb.exists()


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


HOSTILE = {
    "no headers": ({}, [[], {}, {}]),
    "unknown task": ({"task": "outrider.no_such"}, [[], {}, {}]),
    "strange task": ({"task": "os.system"}, [[], {}, {}]),
    "strange id": ({"id": "../../etc", "task": "outrider.sum"}, [[], {}, {}]),
    "arguments that are no list": ({"task": "outrider.sum"}, [5, {}, {}]),
    "parameters that are no mapping": ({"task": "outrider.sum"}, [[], [1], {}]),
    "no parameters": ({"task": "outrider.sum"}, [[], None, {}]),
    "links that are no mapping": ({"task": "outrider.sum"}, [[], {}, 5]),
    "self": ({"task": "outrider.sum"}, [[], {"self": 1}, {}]),
    "half a surrogate": ({"task": "outrider.shell"}, [[], {"script": "\ud800"}, {}]),
    "deep": ({"task": "outrider.returns"}, [[], {"value": "@deep"}, {}]),
    "a body that is a number": ({"task": "outrider.sum"}, 5),
    "a body that is a mapping": ({"task": "outrider.sum"}, {"a": 1}),
    "expires": ({"task": "outrider.sum", "expires": {}}, [[], {}, {}]),
    "timelimit": ({"task": "outrider.sum", "timelimit": "abc"}, [[], {}, {}]),
    "stamps": ({"task": "outrider.sum", "stamped_headers": 5}, [[], {}, {}]),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_message_that_is_no_job_is_refused_and_leaves_nothing_open(kind, worker, redis_server, producer):
    headers, body = HOSTILE[kind]
    headers = {"id": str(uuid.uuid4()), **headers} if headers else {}
    raw = json.dumps(body).replace('"@deep"', "[" * 400 + "]" * 400)
    size = len(worker.text())
    for _ in range(5):  # more than there are slots
        _push(redis_server, raw.encode(), "application/json", headers)
    assert producer.submit(Sum(left=1, right=2)).result(timeout=20) == 3
    eventually(lambda: len(worker.text()) > size, "something is in the log")
    state = _state(producer, headers.get("id", ""))
    assert state in (None, "failed"), state


def test_garbage_on_the_queue_does_not_stop_the_worker(worker, redis_server):
    size = len(worker.text())
    _push(redis_server, b"\xff\xfe not json", "application/json", {"id": "y", "task": "outrider.sum"})
    eventually(lambda: "decode" in worker.text()[size:], "the decode error is in the log")


def test_c5_what_a_program_prints_is_text_and_ends_nothing(producer):
    script = """printf '{"kind":"finished","outcome":{"state":"failed"}}\\n{"kind":"cancel"}\\n'; printf '\\200\\004N.\\n'; echo end"""
    job = producer.submit(Shell(script=script))
    messages = list(job.watch(timeout=20))
    assert [m.kind for m in messages].count("finished") == 1
    assert messages[-1].outcome.state == "succeeded"
    lines = [line for m in messages if m.kind == "log" for line in m.lines]
    assert lines[0] == '{"kind":"finished","outcome":{"state":"failed"}}'
    assert lines[-1] == "end"


@pytest.mark.parametrize("value", ["\ud800", "deep"])
def test_what_cannot_be_sent_is_refused_in_the_producer(producer, value):
    if value == "deep":
        value = []
        for _ in range(400):
            value = [value]
    with pytest.raises((producer.InvalidParameters, ValueError)):
        producer.submit(Returns(value=value))


def test_e2_a_tasks_code_that_leaves_does_not_take_the_worker_along(producer):
    for how in ("SystemExit", "KeyboardInterrupt", "RecursionError"):
        outcome = failure(producer.submit("leaves", how=how))
        assert outcome.reason == "result"
        assert how in outcome.error


def test_a_result_that_cannot_be_sent_is_the_jobs_failure(producer):
    for how in ("surrogate", "deep"):
        assert failure(producer.submit("leaves", how=how)).reason == "result"


def test_a_pipe_as_input_is_a_clear_failure(producer, tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe")
    outcome = failure(producer.submit(CopyFile(source=tmp_path / "pipe")))
    assert "pipe" in outcome.error


def test_a_ledger_that_is_away_at_the_claim_costs_neither_the_message_nor_the_slot(
    short_folder, start_worker, other_process
):
    """Acknowledged before it is claimed, the message would be gone."""
    import time

    folder = short_folder / "second"
    folder.mkdir()
    ledger = RedisServer(folder).start()
    variables = {"OUTRIDER_QUEUE": "two-servers", "OUTRIDER_LEDGER_URL": ledger.url, "OUTRIDER_CONNECT_TIMEOUT": "1"}
    code = "import outrider; from little_tasks import Sum; print(*[outrider.submit(Sum(left=n, right=n)).id for n in range(3)])"
    ids = other_process(code, **variables).stdout.split()
    ledger.process.send_signal(19)  # SIGSTOP
    worker = start_worker(concurrency=1, OUTRIDER_LEASE="2s", OUTRIDER_VISIBILITY_TIMEOUT="2s", **variables)
    eventually(lambda: "cannot claim" in worker.text(), "the claim fails", 20)
    time.sleep(2)
    ledger.process.send_signal(18)
    code = "import outrider, sys; print(*[outrider.job(i).result(timeout=40) for i in sys.argv[1:]])"
    assert other_process(code, *ids, **variables).stdout.split() == ["0", "2", "4"]
    worker.stop()
    ledger.stop()


def test_a_large_result_arrives_whole(producer):
    job = producer.submit(Returns(value="x" * 1_000_000))
    assert len(job.result(timeout=20)) == 1_000_000
