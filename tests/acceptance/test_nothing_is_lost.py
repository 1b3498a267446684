"""R, Q, J6, J10, E8: recovery, the bounded queue, one end per job."""

import json
import multiprocessing
import os
import random
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest
from little_tasks import Shell, ShellWithOutput, Sleep, Sum
from support import eventually

import outrider
from outrider import RetryPolicy
from outrider.client import Client, SubmitOptions
from outrider.communicators import Bounds, JobSpec, Outcome, RedisClient, commands, read_record

LEASE = {"OUTRIDER_LEASE": "2s", "OUTRIDER_VISIBILITY_TIMEOUT": "2s"}


def client_for(queue):
    return Client(outrider.Settings(queue=queue))


def running(job):
    eventually(lambda: job.status() == "running", "the program runs")
    return job


def starts(path):
    return path.read_text().count("start") if path.exists() else 0


def finished_messages(redis_server, job_id):
    entries = redis_server.client.xrange(f"outrider:job:{job_id}:messages")
    return sum(json.loads(fields[b"json"])["kind"] == "finished" for _, fields in entries)


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_r1_a_job_longer_than_lease_and_visibility_timeout_starts_once(pool, start_worker, redis_server, tmp_path):
    queue = f"long-{pool}"
    workers = [start_worker(pool=pool, concurrency=1, OUTRIDER_QUEUE=queue, **LEASE) for _ in range(2)]
    mark = tmp_path / "starts"
    job = running(client_for(queue).submit(Shell(script=f"echo start >> {mark}; sleep 6.5")))
    for _ in range(3):  # and its worker's connections are reset on the way
        redis_server.client.client_kill_filter(_type="normal", skipme=True)
        time.sleep(0.5)
    assert job.wait(timeout=30).state == "succeeded"
    assert (starts(mark), job.record().attempt) == (1, 1)
    for worker in workers:
        worker.stop()


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_r1_a_message_that_is_delivered_twice_runs_once(pool, start_worker, redis_server, tmp_path):
    queue = f"twice-{pool}"
    mark = tmp_path / "starts"
    job = client_for(queue).submit(Shell(script=f"echo start >> {mark}; sleep 1"))
    raw = redis_server.client.lindex(queue, 0)
    for _ in range(5):
        redis_server.client.lpush(queue, raw)
    workers = [start_worker(pool=pool, concurrency=3, OUTRIDER_QUEUE=queue) for _ in range(2)]
    assert job.wait(timeout=20).state == "succeeded"
    eventually(lambda: redis_server.client.llen(queue) == 0, "all copies are taken")
    assert client_for(queue).submit(Sum(left=1, right=1)).result(timeout=20) == 2
    assert (starts(mark), job.record().attempt, finished_messages(redis_server, job.id)) == (1, 1, 1)
    for worker in workers:
        worker.stop()


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_r2_the_job_of_a_killed_worker_runs_again_elsewhere(pool, start_worker, redis_server, tmp_path):
    queue = f"again-{pool}"
    victim = start_worker(pool=pool, concurrency=1, OUTRIDER_QUEUE=queue, **LEASE)
    mark = tmp_path / "starts"
    script = f"echo start >> {mark}; [ $(wc -l < {mark}) -ge 2 ] || sleep 60; echo right > made.txt"
    job = running(client_for(queue).submit(ShellWithOutput(script=script)))
    rescuer = start_worker(pool=pool, concurrency=1, OUTRIDER_QUEUE=queue, **LEASE)
    time.sleep(2.5)  # it has been in contact with Redis for one lease: before that it takes nothing from anybody
    victim.process.kill()
    assert job.result(timeout=30) == "right\n"
    record = job.record()
    assert (record.attempt, record.worker, starts(mark)) == (2, rescuer.name, 2)
    assert record.attempts[1].state == "lost"
    assert finished_messages(redis_server, job.id) == 1
    rescuer.stop()


def test_r2_a_job_that_may_not_run_again_is_lost_and_one_that_crashes_workers_fails(own_redis, start_worker):
    options = {"concurrency": 2, "OUTRIDER_BROKER_URL": own_redis.url, "OUTRIDER_CRASH_LIMIT": "2", **LEASE}
    client = producer_at(own_redis)  # of its own: any worker beside these would take over by a limit of its own
    first = start_worker(**options)
    lost = running(client.submit(Sleep(seconds=60), options=SubmitOptions(retry=RetryPolicy(on_loss=False))))
    crashes = running(client.submit(Sleep(seconds=60)))
    first.process.kill()
    second = start_worker(**options)
    assert lost.wait(timeout=60).state == "lost"
    with pytest.raises(outrider.JobLost):
        lost.result()
    eventually(lambda: crashes.record().attempt == 2 and crashes.status() == "running", "it runs again", 60)
    second.process.kill()
    third = start_worker(**options)
    outcome = crashes.wait(timeout=60)
    assert (outcome.state, outcome.reason) == ("failed", "crash_limit")
    third.stop()


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_r3_a_stopped_worker_that_wakes_up_changes_nothing(pool, start_worker, redis_server, tmp_path):
    queue = f"stopped-{pool}"
    sleeper = start_worker(pool=pool, concurrency=1, own_group=True, OUTRIDER_QUEUE=queue, **LEASE)
    mark = tmp_path / "starts"
    script = f"echo start >> {mark}; n=$(wc -l < {mark}); [ $n -ge 2 ] || sleep 8; echo $n > made.txt"
    job = running(client_for(queue).submit(ShellWithOutput(script=script)))
    old = job.record().run.pid
    os.killpg(sleeper.process.pid, signal.SIGSTOP)  # its programs live in sessions of their own, and go on
    rescuer = start_worker(pool=pool, concurrency=1, OUTRIDER_QUEUE=queue, **LEASE)
    assert job.result(timeout=30) == "2\n"
    record = job.record()
    os.killpg(sleeper.process.pid, signal.SIGCONT)
    eventually(lambda: not Path(f"/proc/{old}").exists(), "the stale program is killed", 20)
    eventually(lambda: "owned by another attempt" in sleeper.text(), "the stale attempt notices", 20)
    assert job.record() == record
    assert job.result() == "2\n"
    assert record.outcome.outputs["output"].path.read_text() == "2\n"
    assert finished_messages(redis_server, job.id) == 1
    for worker in (rescuer, sleeper):
        worker.stop()


def test_r4_another_process_gets_the_results_of_a_producer_that_is_gone(other_process, worker, producer):
    code = """
import os, signal, outrider
from little_tasks import Sum
for n in range(5):
    print(outrider.submit(Sum(left=n, right=n)).id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    ids = other_process(code).stdout.split()
    assert [producer.job(i).result(timeout=20) for i in ids] == [0, 2, 4, 6, 8]
    assert set(ids) <= {record.id for record in producer.jobs(limit=200)}


def producer_at(server, queue="outrider"):
    return Client(outrider.Settings(queue=queue, broker_url=server.url, connect_timeout=timedelta(seconds=2)))


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_r5_redis_may_be_restarted_while_jobs_run_and_wait(pool, own_redis, start_worker, other_process, tmp_path):
    variables = {"OUTRIDER_BROKER_URL": own_redis.url, "OUTRIDER_CONNECT_TIMEOUT": "2", **LEASE}
    worker = start_worker(pool=pool, concurrency=2, **variables)
    mark = tmp_path / "starts"
    code = f"""
import outrider, sys
from little_tasks import Shell, Sum
done = outrider.submit(Sum(left=1, right=1)); done.result(20)
long = [outrider.submit(Shell(script="echo start >> {mark}; sleep 4")) for _ in range(2)]
waits = outrider.submit(Sum(left=20, right=22))
print(done.id, *[j.id for j in long], waits.id)
"""
    done, first, second, waits = other_process(code, **variables).stdout.split()
    client = producer_at(own_redis)
    for job_id in (first, second):
        running(client.job(job_id))
    own_redis.stop()
    time.sleep(2.5)
    own_redis.start()
    assert client.job(done).result(timeout=5) == 2
    for job_id in (first, second):
        assert client.job(job_id).wait(timeout=30).state == "succeeded"
        directory = client.job(job_id).record().run.directory.parent
        eventually((directory / "record.json").exists, "the record is on disk")
        assert read_record(directory).state == "succeeded"
    assert starts(mark) == 2
    assert client.job(waits).result(timeout=30) == 42
    worker.stop()


def test_r7_an_exclusive_job_is_stopped_when_its_lease_cannot_be_renewed_and_others_run_on(
    own_redis, start_worker, other_process
):
    variables = {"OUTRIDER_BROKER_URL": own_redis.url, "OUTRIDER_CONNECT_TIMEOUT": "1", "OUTRIDER_LEASE": "4s"}
    worker = start_worker(concurrency=2, **variables)
    code = """
import outrider, sys
from little_tasks import Alone, Sleep
print(outrider.submit(Alone(seconds=60)).id, outrider.submit(Sleep(seconds=60)).id)
"""
    alone, other = other_process(code, **variables).stdout.split()
    client = producer_at(own_redis)
    pids = [running(client.job(job_id)).record().run.pid for job_id in (alone, other)]
    own_redis.stop()
    eventually(lambda: not Path(f"/proc/{pids[0]}").exists(), "the exclusive program is stopped", 4.5)
    assert Path(f"/proc/{pids[1]}").exists()
    own_redis.start()
    eventually(lambda: client.job(alone).record().attempt == 2, "it is attempted again", 30)
    assert client.job(other).record().attempt == 1
    assert Path(f"/proc/{pids[1]}").exists()
    worker.process.kill()


def test_r7_after_redis_returns_owners_have_one_lease_to_renew(own_redis, start_worker, other_process, tmp_path):
    variables = {"OUTRIDER_BROKER_URL": own_redis.url, "OUTRIDER_CONNECT_TIMEOUT": "1", **LEASE}
    workers = [start_worker(concurrency=1, **variables) for _ in range(2)]
    mark = tmp_path / "starts"
    code = f"import outrider; from little_tasks import Shell; print(outrider.submit(Shell(script='echo start >> {mark}; sleep 9')).id)"
    job = running(producer_at(own_redis).job(other_process(code, **variables).stdout.strip()))
    own_redis.stop()
    time.sleep(4)  # two leases
    own_redis.start()
    assert job.wait(timeout=30).state == "succeeded"
    assert (starts(mark), job.record().attempt) == (1, 1)
    for worker in workers:
        worker.stop()


def test_e8_listed_ends_are_attempted_again_with_a_growing_pause_and_all_are_kept(start_worker, tmp_path):
    worker = start_worker(OUTRIDER_QUEUE="retries", OUTRIDER_LEASE="1s")
    client = client_for("retries")
    mark = tmp_path / "starts"
    policy = RetryPolicy(exit_codes={7}, signals={"SIGSEGV"}, max_attempts=3, backoff="0.3s")
    script = f"echo start >> {mark}; n=$(wc -l < {mark}); [ $n = 1 ] && exit 7; [ $n = 2 ] && kill -SEGV $$; echo ok"
    job = client.submit("shell", {"script": script}, SubmitOptions(retry=policy))
    assert job.wait(timeout=30).state == "succeeded"
    record = job.record()
    assert record.attempt == starts(mark) == 3
    assert record.attempts[1].exit.exit_code == 7
    assert record.attempts[2].exit.signal == "SIGSEGV"
    always = client.submit("shell", {"script": "exit 7"}, SubmitOptions(retry=policy))
    assert always.wait(timeout=30).reason == "exit_code"
    assert always.record().attempt == 3
    other = client.submit("shell", {"script": "exit 8"}, SubmitOptions(retry=policy))
    other.wait(timeout=10)
    assert other.record().attempt == 1
    worker.stop()


def test_e8_the_end_of_one_attempt_does_not_kill_the_next_on_the_same_worker(start_worker):
    worker = start_worker(OUTRIDER_QUEUE="at-once", OUTRIDER_LEASE="1s")
    policy = RetryPolicy(exit_codes={3}, max_attempts=3, backoff="0s")
    client = client_for("at-once")
    jobs = [client.submit("shell", {"script": "sleep 0.5; exit 3"}, SubmitOptions(retry=policy)) for _ in range(4)]
    for job in jobs:
        assert job.wait(timeout=30).reason == "exit_code"
        assert job.record().attempt == 3
    worker.stop()


def test_a_message_that_died_with_a_worker_before_it_was_claimed_is_sent_again(start_worker, redis_server):
    """The broker hands a message over before anything remembers to whom."""
    job = client_for("vanished").submit(Sum(left=1, right=2))
    assert redis_server.client.delete("vanished") == 1
    worker = start_worker(OUTRIDER_QUEUE="vanished", **LEASE)
    assert job.result(timeout=20) == 3
    worker.stop()


def a_spec(client):
    options = SubmitOptions()
    task = Sum(left=1, right=1)
    return client.preparer.spec(task, client.preparer.plan(task, options), options)


def submit_many_times(queue, bound, times, results):
    import outrider

    client = Client(outrider.Settings(queue=queue, max_queued=bound, broker_url=os.environ["OWN_REDIS"]))
    accepted = refused = 0
    for _ in range(times):
        try:
            client.redis.run(client.submission._opening(a_spec(client), None))
            accepted += 1
        except outrider.QueueFull:
            refused += 1
    results.put((accepted, refused))


def test_q1_a_full_queue_takes_exactly_its_bound_and_q2_still_answers(own_redis, monkeypatch):
    monkeypatch.setenv("OWN_REDIS", own_redis.url)
    bound = 50
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    submitters = [
        context.Process(target=submit_many_times, args=("full", bound, 10 * bound, results)) for _ in range(8)
    ]
    for process in submitters:
        process.start()
    counts = [results.get(timeout=60) for _ in submitters]
    for process in submitters:
        process.join(10)
    assert sum(accepted for accepted, _ in counts) == bound
    assert sum(refused for _, refused in counts) == 8 * 10 * bound - bound
    client = Client(outrider.Settings(queue="full", max_queued=bound, broker_url=own_redis.url))
    begun = time.monotonic()
    records = client.jobs(limit=bound)
    assert len(records) == bound
    assert client.job(records[0].id).status() == "queued"
    with pytest.raises(outrider.QueueFull):
        client.submission._open(a_spec(client), SubmitOptions(block=True, timeout=0.3))
    assert client.job(records[0].id).cancel() == "cancelled"
    client.submission._open(a_spec(client), SubmitOptions(block=True, timeout=0.3))
    assert time.monotonic() - begun < 2


def test_q3_after_all_kinds_of_ends_nothing_is_open(start_worker, own_redis, other_process):
    variables = {"OUTRIDER_BROKER_URL": own_redis.url, **LEASE, "OUTRIDER_CRASH_LIMIT": "1"}
    workers = [start_worker(concurrency=4, **variables) for _ in range(2)]
    code = """
import outrider, random, sys
from outrider import Limits, RetryPolicy
from little_tasks import Shell, Sleep, Sum
random.seed(7)
made = [lambda: outrider.submit(Sum(left=1, right=1)), lambda: outrider.submit(Shell(script="exit 3")),
        lambda: outrider.submit(Sleep(seconds=60), limits=Limits(run="0.2s")), lambda: outrider.submit(Shell(script="kill -9 $$"))]
jobs = [random.choice(made)() for _ in range(1000)]
for job in random.sample(jobs, 200): job.cancel()
print(*[job.id for job in jobs])
"""
    ids = other_process(code, **variables).stdout.split()
    client = producer_at(own_redis)
    eventually(
        lambda: any(record.worker == workers[0].name and not record.state.is_terminal for record in client.jobs(1000)),
        "a job is under way there",
    )
    workers[0].process.kill()
    states = {job.wait(timeout=60).state for job in map(client.job, ids)}
    assert {"succeeded", "failed", "timed_out", "cancelled"} <= states
    assert own_redis.client.zcard("outrider:open") == 0
    assert all(finished_messages(own_redis, job_id) == 1 for job_id in ids)
    workers[1].stop()


@pytest.mark.alone
def test_q4_never_more_than_the_slots_and_a_busy_worker_hoards_nothing(start_worker, redis_server):
    first = start_worker(concurrency=2, OUTRIDER_QUEUE="slots")
    client = client_for("slots")
    begun = time.monotonic()
    jobs = client.submit_many([Sleep(seconds=1)] * 6)
    most = 0
    while not all(job.status().is_terminal for job in jobs):
        most = max(most, sum(job.status() == "running" for job in jobs))
    assert most == 2
    assert time.monotonic() - begun < 3 * 1.2 + 0.5
    long = [running(client.submit(Sleep(seconds=20))) for _ in range(2)]
    third = client.submit(Sum(left=1, right=2))
    time.sleep(0.5)
    assert (third.status(), redis_server.client.llen("slots")) == ("queued", 1)
    second = start_worker(concurrency=1, OUTRIDER_QUEUE="slots")
    assert third.result(timeout=10) == 3
    for job in long:
        job.cancel()
    for worker in (first, second):
        worker.stop()


def test_j6_one_end_per_job_whatever_races(producer, worker, redis_server):
    """Cancel within 50 ms of the natural end, 200 times."""
    random.seed(3)
    ids = []
    for _ in range(50):
        jobs = [producer.submit(Sleep(seconds=0.1)) for _ in range(4)]
        for job in jobs:
            eventually(lambda job=job: job.status() != "queued", "it starts")
        time.sleep(random.uniform(0.0, 0.1))
        for job in jobs:
            job.cancel()
        for job in jobs:
            outcome = job.wait(timeout=10)
            assert outcome.state in ("succeeded", "cancelled")
            assert job.record().state == outcome.state
        ids += [job.id for job in jobs]
    assert [finished_messages(redis_server, job_id) for job_id in ids] == [1] * 200


def test_j6_a_late_word_of_a_stale_attempt_is_refused(redis_server, producer):
    redis = RedisClient(redis_server.url, timedelta(seconds=5))
    bounds = Bounds(100, timedelta(minutes=1))
    spec = JobSpec(id="stale-job", task="sum", version="1", parameters={}, queue="nobody")
    redis.run(commands.open_job(spec, bounds))
    held = redis.run(commands.claim(spec.id, "claim-1", "w", "", bounds, timedelta(seconds=30)))
    again = redis.run(commands.claim(spec.id, "claim-1", "w", "", bounds, timedelta(seconds=30)))
    assert again == held
    assert redis.run(commands.claim(spec.id, "claim-2", "w", "", bounds, timedelta(seconds=30))) == "starting"
    redis.run(commands.close(held, Outcome(state="succeeded"), outrider.communicators.Provenance(), bounds))
    redis.run(commands.close(held, Outcome(state="succeeded"), outrider.communicators.Provenance(), bounds))
    for late in (Outcome(state="failed"), Outcome(state="cancelled")):
        with pytest.raises(outrider.config.errors.IllegalTransition):
            redis.run(commands.close(held, late, outrider.communicators.Provenance(), bounds))
    with pytest.raises(outrider.config.errors.Superseded):
        redis.run(commands.emit(held, [outrider.Progress(done=1)], bounds))
    assert finished_messages(redis_server, spec.id) == 1


def test_j10_ten_thousand_jobs_leave_a_bounded_number_of_keys(start_worker, own_redis):
    """Their records are opened and closed without programs; a worker's reaper tidies up."""
    redis = RedisClient(own_redis.url, timedelta(seconds=5))
    bounds = Bounds(100, timedelta(seconds=1))
    before = own_redis.client.dbsize()
    for start in range(0, 10_000, 1000):
        specs = [
            JobSpec(id=f"job-{n}", task="sum", version="1", parameters={}, queue="nobody")
            for n in range(start, start + 1000)
        ]
        redis.run_many([commands.open_job(spec, bounds, idempotency_key=spec.id) for spec in specs])
        redis.run_many([commands.close_unclaimed(spec.id, Outcome(state="cancelled"), bounds) for spec in specs])
    assert own_redis.client.zcard("outrider:jobs") == 10_000
    worker = start_worker(OUTRIDER_BROKER_URL=own_redis.url, OUTRIDER_LEASE="1s")
    eventually(lambda: not own_redis.client.exists("outrider:jobs"), "the index is empty", 30)
    worker.stop()
    assert own_redis.client.dbsize() - before < 20


def test_c2_a_batch_that_is_sent_again_is_told_once(redis_server, producer):
    """As it is when Redis was away for long enough that its answer did not come."""
    redis = RedisClient(redis_server.url, timedelta(seconds=5))
    bounds = Bounds(100, timedelta(minutes=1))
    spec = JobSpec(id="told-twice", task="sum", version="1", parameters={}, queue="nobody")
    redis.run(commands.open_job(spec, bounds))
    held = redis.run(commands.claim(spec.id, "claim-1", "w", "", bounds, timedelta(seconds=30)))
    first, second = (
        [outrider.LogLines(stream="stdout", lines=(f"{n}",), source="stdout", sequence=n) for n in numbers]
        for numbers in ((1, 2), (3,))
    )
    for batch in (first, first, second, second, []):
        redis.run(commands.emit(held, batch, bounds))
    redis.run(commands.close(held, Outcome(state="succeeded"), outrider.communicators.Provenance(), bounds))
    told = [m for m in outrider.job(spec.id).watch(timeout=5) if m.kind == "log"]
    assert [m.sequence for m in told] == [1, 2, 3]


def test_j10_closed_records_and_streams_vanish_after_their_retention(start_worker, own_redis, other_process):
    variables = {"OUTRIDER_BROKER_URL": own_redis.url, "OUTRIDER_RETENTION": "2s", "OUTRIDER_LEASE": "1s"}
    worker = start_worker(**variables)
    code = """
import outrider
from little_tasks import Sum
jobs = outrider.submit_many([Sum(left=1, right=1)] * 100)
print(len(list(outrider.as_completed(jobs, timeout=60))))
"""
    assert other_process(code, **variables).stdout.strip() == "100"
    eventually(lambda: not own_redis.client.keys("outrider:job:*"), "records and streams are gone", 15)
    eventually(lambda: own_redis.client.zcard("outrider:jobs") == 0, "the index is empty", 15)
    assert not own_redis.client.keys("outrider:inbox:*")
    worker.stop()
