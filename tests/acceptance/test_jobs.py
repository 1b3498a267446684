"""J: jobs, ids, records."""

import asyncio
import json
import os
import socket
import statistics
import time

import pytest
from little_tasks import Returns, Shell, ShellWithOutput, Sleep, Sum
from support import eventually

SUBMIT_TO_NOBODY = """
import outrider, sys
from little_tasks import Sum
print(outrider.submit(Sum(left=1, right=2)).id)
"""


def test_j1_submit_returns_without_waiting_and_ids_are_unique(producer, redis_server, other_process):
    code = """
import outrider, time
from little_tasks import Sleep
start = time.monotonic()
ids = {outrider.submit(Sleep(seconds=60)).id for _ in range(10)}
assert time.monotonic() - start < 5
ids |= {job.id for job in outrider.submit_many([Sleep(seconds=60)] * 990)}
print(len(ids))
"""
    assert other_process(code, OUTRIDER_QUEUE="nobody").stdout.strip() == "1000"


def test_j1_the_same_idempotency_key_gives_the_first_job_and_runs_once(producer, worker, tmp_path):
    marks = tmp_path / "marks"
    task = Shell(script=f"echo run >> {marks}")
    jobs = [producer.submit(task, idempotency_key=f"once-{tmp_path}") for _ in range(5)]
    assert len({job.id for job in jobs}) == 1
    for job in jobs:
        job.result(timeout=20)
    assert marks.read_text() == "run\n"


def test_j2_an_unknown_task_name_is_an_error_with_a_suggestion_and_leaves_no_record(producer, redis_server):
    before = redis_server.client.zcard("outrider:jobs")
    with pytest.raises(producer.UnknownTask, match="did you mean 'convert_cif'"):
        producer.submit("convert_cfi", structure="x.cif")
    assert redis_server.client.zcard("outrider:jobs") == before


def test_j2_wrong_parameters_name_each_field_and_value_and_leave_no_record(producer, redis_server):
    before = redis_server.client.zcard("outrider:jobs")
    with pytest.raises(producer.InvalidParameters) as raised:
        producer.submit("sum", left="many", right=2.5, middle=1)
    for part in ("left='many'", "right=2.5", "middle: there is no such field"):
        assert part in str(raised.value)
    assert redis_server.client.zcard("outrider:jobs") == before


@pytest.mark.parametrize("kind", ["refused", "silent", "password"])
def test_j3_a_broker_that_is_down_is_an_error_within_the_configured_time(kind, other_process, redis_server, tmp_path):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    if kind == "silent":
        listener.listen()
    url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
    if kind == "password":
        url = redis_server.url.replace("unix://", "unix://:wrong@")
    code = """
import outrider, time
from little_tasks import Sum
start = time.monotonic()
try:
    outrider.submit(Sum(left=1, right=2))
except outrider.BrokerUnavailable as error:
    print(f"{time.monotonic() - start:.2f}", error)
"""
    done = other_process(code, OUTRIDER_BROKER_URL=url, OUTRIDER_CONNECT_TIMEOUT="1")
    listener.close()
    assert done.stdout, done.stderr
    seconds, _, message = done.stdout.partition(" ")
    assert float(seconds) < 4
    assert "OUTRIDER_BROKER_URL" in message
    assert "wrong@" not in message


def test_j3_a_queue_that_is_down_leaves_no_open_record(other_process, redis_server):
    """The ledger answers, the queue does not: the record must not stay open."""
    code = """
import outrider, socket
from little_tasks import Sum
probe = socket.socket(); probe.bind(("127.0.0.1", 0))
import os
os.environ["OUTRIDER_LEDGER_URL"] = os.environ["OUTRIDER_BROKER_URL"]
os.environ["OUTRIDER_BROKER_URL"] = f"redis://127.0.0.1:{probe.getsockname()[1]}/0"
try:
    outrider.submit(Sum(left=1, right=2))
except outrider.BrokerUnavailable:
    newest, = outrider.jobs(1)
    print(newest.state, newest.outcome.error)
"""
    done = other_process(code, OUTRIDER_CONNECT_TIMEOUT="1")
    assert done.stdout.startswith("cancelled it could not be enqueued"), done


def test_j3_a_ledger_that_wakes_up_too_late_opens_nothing(redis_server, producer):
    from outrider.communicators import Bounds, JobSpec, RedisClient, commands

    redis = RedisClient(redis_server.url, producer.Settings().connect_timeout)
    spec = JobSpec(id="late-one", task="sum", version="1", parameters={}, queue="nobody")
    bounds = Bounds(100, producer.Settings().retention)
    with pytest.raises(TimeoutError):
        redis.run(commands.open_job(spec, bounds, deadline_ms=redis.server_time_ms() - 1000))
    assert not redis_server.client.keys("*late-one*")


def test_j4_a_job_without_a_worker_is_queued_and_an_unknown_one_is_not_found(producer, other_process):
    job_id = other_process(SUBMIT_TO_NOBODY, OUTRIDER_QUEUE="nobody").stdout.strip()
    assert producer.job(job_id).status() == "queued"
    with pytest.raises(producer.JobNotFound):
        producer.job("b3c5a1b0-0000-4000-8000-000000000000")


def test_j5_another_process_reads_the_whole_record_during_and_after_the_run(producer, worker, other_process, tmp_path):
    source = tmp_path / "in.txt"
    source.write_text("counted\n")
    release = tmp_path / "go"
    script = f"echo at 1 of 2 parts; while [ ! -e {release} ]; do sleep 0.05; done; cat {source} > made.txt"
    job = producer.submit(ShellWithOutput(script=script))
    eventually(lambda: job.record().progress, "progress is in the record")
    read = "import outrider, sys; print(outrider.job(sys.argv[1]).record().model_dump_json())"
    during = json.loads(other_process(read, job.id).stdout)
    assert (during["state"], during["progress"]["done"], during["progress"]["unit"]) == ("running", 1.0, "parts")
    release.touch()
    job.result(timeout=20)
    after = json.loads(other_process(read, job.id).stdout)
    assert after["state"] == "succeeded"
    assert after["queued_at"] <= after["claimed_at"] <= after["started_at"] <= after["ended_at"]
    assert after["spec"]["task"] == "shell_with_output"
    assert after["spec"]["parameters"]["script"] == script
    assert after["spec"]["submitted_by"].endswith(f"@{socket.gethostname()}")
    assert (after["attempt"], after["worker"], after["run"]["host"]) == (1, worker.name, socket.gethostname())
    assert after["run"]["pid"] > 0
    assert after["run"]["argv"][-1] == script
    assert after["run"]["environment"]["OUTRIDER_JOB"] == job.id
    assert set(after["run"]["environment"]) == {
        "OUTRIDER_JOB",
        "OUTRIDER_ATTEMPT",
        "OUTRIDER_WORKER",
        "OUTRIDER_SOCKET",
    }
    assert after["outcome"]["exit"]["exit_code"] == 0
    assert after["outcome"]["exit"]["cpu_seconds"] > 0
    assert after["outcome"]["outputs"]["output"]["size"] == len("counted\n")
    assert after["provenance"]["outrider_version"]


def test_j5_inputs_outputs_memory_and_program_version_are_recorded(producer, worker, tmp_path):
    import hashlib

    structure = tmp_path / "a.cif"
    structure.write_text("data_a\n_cell.length_a 10.0\n")
    job = producer.submit("convert_cif", structure=structure)
    job.result(timeout=20)
    record = job.record()
    assert record.provenance.inputs[str(structure)].sha256 == hashlib.sha256(structure.read_bytes()).hexdigest()
    assert record.provenance.program_version.startswith("gemmi 0.")
    output = record.outcome.outputs["output"]
    assert output.sha256 == hashlib.sha256(output.path.read_bytes()).hexdigest()
    hungry = producer.submit(Shell(script="python3 -c 'import time; x = bytearray(400 << 20); time.sleep(1.5)'"))
    hungry.result(timeout=20)
    assert hungry.record().outcome.exit.peak_rss > 400 << 20


def test_j7_when_wait_returns_the_record_is_closed_and_a_late_wait_returns_at_once(producer, worker):
    for _ in range(20):
        job = producer.submit(Sum(left=1, right=2))
        outcome = job.wait(timeout=20)
        assert job.status() == outcome.state == "succeeded"
        assert job.record().ended_at is not None
    start = time.monotonic()
    assert producer.job(job.id).wait(timeout=20) == outcome
    assert time.monotonic() - start < 1


@pytest.mark.parametrize("value", [None, 0, "", False, [], {}, 0.5, {"a": [1, None]}])
def test_j8_every_value_is_a_result(value, producer, worker):
    result = producer.submit(Returns(value=value)).result(timeout=20)
    assert result == value
    assert type(result) is type(value)


def test_j8_results_come_back_typed_also_in_another_process(producer, worker, other_process):
    job = producer.submit(Shell(script="true"))
    assert isinstance(job.result(timeout=20), producer.ProgramRun)
    code = "import outrider, sys; print(type(outrider.job(sys.argv[1]).result(timeout=5)).__name__)"
    assert other_process(code, job.id).stdout.strip() == "ProgramRun"


def test_j9_the_terminal_message_comes_soon_after_the_exit(producer, worker, tmp_path):
    delays = []
    for n in range(20):
        mark = tmp_path / str(n)
        job = producer.submit(Shell(script=f"sleep 0.1; date +%s.%N > {mark}"))
        job.wait(timeout=20)
        delays.append(time.time() - float(mark.read_text()))
    assert statistics.quantiles(delays, n=20)[-1] < 0.25


def test_j9_a_producer_that_was_disconnected_gets_the_end_exactly_once(producer, worker, redis_server):
    job = producer.submit(Shell(script="sleep 1; echo done"))
    seen = []
    for message in job.watch(timeout=20):
        seen.append(message)
        if str(message).startswith("running"):
            redis_server.client.client_kill_filter(_type="normal", skipme=True)
    assert [m.kind for m in seen].count("finished") == 1
    assert [m.state for m in seen if m.kind == "state"] == ["queued", "starting", "running"]
    assert seen[-1].kind == "finished"
    positions = [m.stamp.position for m in seen]
    assert len(set(positions)) == len(positions)


def test_as_completed_yields_in_the_order_of_the_ends(producer, worker):
    jobs = [producer.submit(Sleep(seconds=s)) for s in (0.9, 0.1, 0.5)]
    assert [jobs.index(job) for job in producer.as_completed(jobs, timeout=20)] == [1, 2, 0]
    assert len(list(producer.as_completed(jobs, timeout=20))) == 3


def test_a_wait_that_is_too_short_says_so_and_the_job_goes_on(producer, worker):
    job = producer.submit(Sleep(seconds=1))
    with pytest.raises(producer.WaitTimeout, match="it goes on"):
        job.wait(timeout=0.2)
    with pytest.raises(TimeoutError):
        list(producer.as_completed([job], timeout=0.1))
    assert job.wait(timeout=20).state == "succeeded"


def test_every_waiting_method_has_an_async_twin(producer, worker):
    async def all_of_them() -> None:
        jobs = producer.submit_many([Sum(left=n, right=n) for n in range(5)])
        assert [await job.result_async(timeout=20) for job in jobs] == [0, 2, 4, 6, 8]
        assert {job.id async for job in producer.as_completed_async(jobs, timeout=20)} == {job.id for job in jobs}
        job = producer.submit(Shell(script="echo one; echo two"))
        kinds = [message.kind async for message in job.watch_async(timeout=20)]
        assert kinds[-1] == "finished"
        assert (await job.wait_async(timeout=20)).state == "succeeded"
        for follow in (True, False):
            lines = [line async for log in job.logs_async(follow=follow) for line in log.lines]
            assert lines == ["one", "two"]

    asyncio.run(all_of_them())


def test_a_cancelled_job_says_so_to_its_producer(producer, worker):
    job = producer.submit(Sleep(seconds=60))
    eventually(lambda: job.status() == "running", "the program runs")
    pid = job.record().run.pid
    job.cancel()
    with pytest.raises(producer.JobCancelled):
        job.result(timeout=20)
    assert not os.path.exists(f"/proc/{pid}")


def test_a_queued_job_is_cancelled_at_once_and_never_starts(producer, start_worker, other_process):
    job_id = other_process(SUBMIT_TO_NOBODY, OUTRIDER_QUEUE="later").stdout.strip()
    job = producer.job(job_id)
    assert job.cancel() == "cancelled"
    start_worker(OUTRIDER_QUEUE="later")
    done = other_process(SUBMIT_TO_NOBODY, OUTRIDER_QUEUE="later").stdout.strip()
    assert producer.job(done).wait(timeout=20).state == "succeeded"
    assert job.record().attempt == 0
