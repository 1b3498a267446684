"""X: cancel, time-outs, orphans. Real workers in both pools, real programs that do not want to die."""

import os
import signal
import time
from pathlib import Path

import pytest
from little_tasks import Shell, Sleep
from support import eventually

import outrider
from outrider import Limits

#: Each writes the ids of its processes, one per line, to the file $1, and then none of them ends by itself.
STUBBORN = {
    "ignores TERM": 'trap "" TERM; echo $$ >> $0; while :; do sleep 0.1; done',
    "grandchild": "(sleep 300 & echo $! >> $0; sleep 300) & echo $! >> $0; echo $$ >> $0; wait",
    "setsid": 'setsid sh -c "echo \\$\\$ >> $0; exec sleep 300" & echo $$ >> $0; sleep 300',
    "double fork": "(setsid sh -c '(trap : TERM HUP; sleep 300; sleep 300) & echo $! >> $0' &); echo $$ >> $0; sleep 300",
}


def alive(pids):
    found = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z":
            found.append(pid)
    return found


def with_cookie(job_id):
    """Return all living processes that carry the job's cookie, however they fled."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"OUTRIDER_JOB={job_id}".encode() in (entry / "environ").read_bytes().split(
                b"\0"
            ):
                found.append(int(entry.name))
        except OSError:
            continue
    return alive(found)


@pytest.fixture(scope="module", params=["threads", "prefork"])
def pool(request, start_worker):
    """A queue of its own with one worker of each pool, two slots."""
    queue = f"x-{request.param}"
    worker = start_worker(pool=request.param, concurrency=2, OUTRIDER_QUEUE=queue)
    client = outrider.Client(outrider.Settings(queue=queue))
    yield client, worker
    worker.stop()


def running(job):
    eventually(lambda: job.status() == "running", "the program runs")
    return job


@pytest.mark.alone
@pytest.mark.parametrize("kind", STUBBORN)
def test_x2_a_cancelled_job_leaves_no_descendant_and_its_slot_is_free(pool, kind, tmp_path):
    client, _ = pool
    pids = tmp_path / "pids"
    job = running(client.submit("shell", {"script": STUBBORN[kind].replace("$0", str(pids))}))
    eventually(lambda: len(with_cookie(job.id)) >= 1 and pids.exists(), "it has written its ids")
    begun = time.monotonic()
    job.cancel()
    assert job.wait(timeout=10).state == "cancelled"
    assert time.monotonic() - begun < 1 + 1 + 0.5  # grace + 1 s, and slack for a noisy machine
    assert not with_cookie(job.id)
    begun = time.monotonic()
    following = [client.submit(Sleep(seconds=0)) for _ in range(2)]
    for job in following:
        job.result(timeout=10)
    assert time.monotonic() - begun < 1.5


@pytest.mark.alone
def test_x4_a_time_out_ends_the_whole_tree_although_nobody_listens(pool, tmp_path):
    client, _ = pool
    script = STUBBORN["ignores TERM"].replace("$0", str(tmp_path / "pids"))
    begun = time.monotonic()
    job = client.submit("shell", {"script": script}, outrider.client.SubmitOptions(limits=Limits(run="1s")))
    outcome = job.wait(timeout=20)
    assert outcome.state == "timed_out"
    assert time.monotonic() - begun < 1 + 1 + 2
    assert not with_cookie(job.id)


def test_x5_pause_stops_the_tree_and_the_clock(pool, tmp_path):
    client, _ = pool
    ticks = tmp_path / "ticks"
    work = "i=0; while [ $i -lt 40 ]; do sleep 0.05; i=$((i+1)); done"
    script = f"(while :; do echo t >> {ticks}; sleep 0.05; done) & {work}"
    options = outrider.client.SubmitOptions(limits=Limits(run="4s"))
    job = running(client.submit("shell", {"script": script}, options))
    eventually(ticks.exists, "the child works")
    job.pause()
    eventually(lambda: job.status() == "paused", "it is paused")
    size = ticks.stat().st_size
    time.sleep(3)  # longer than what is left of the limit: a clock that went on would end the job
    assert ticks.stat().st_size == size
    assert job.status() == "paused"
    job.resume()
    eventually(lambda: job.status() == "running", "it goes on")
    eventually(lambda: ticks.stat().st_size > size, "the child goes on")
    assert job.wait(timeout=20).state == "succeeded"


def test_a_paused_job_can_be_cancelled(pool):
    client, _ = pool
    job = running(client.submit(Sleep(seconds=60)))
    job.pause()
    eventually(lambda: job.status() == "paused", "it is paused")
    job.cancel()
    assert job.wait(timeout=10).state == "cancelled"


def test_x3_revoke_with_terminate_takes_the_same_road(pool):
    client, worker = pool
    job = running(client.submit(Sleep(seconds=60)))
    outrider.app.control.revoke(job.id, terminate=True)
    assert job.wait(timeout=10).state == "cancelled"
    assert worker.process.poll() is None


@pytest.mark.parametrize("pool_name", ["threads", "prefork"])
def test_x3_revoke_finds_a_job_whose_message_was_delivered_twice(start_worker, redis_server, pool_name):
    queue = f"twice-revoked-{pool_name}"
    job = outrider.Client(outrider.Settings(queue=queue)).submit(Sleep(seconds=60))
    redis_server.client.lpush(queue, redis_server.client.lindex(queue, 0))
    worker = start_worker(pool=pool_name, OUTRIDER_QUEUE=queue)
    running(job)
    eventually(lambda: redis_server.client.llen(queue) == 0, "the copy is taken")
    eventually(lambda: redis_server.client.hlen("unacked") == 0, "the copy is dropped")
    outrider.app.control.revoke(job.id, terminate=True)
    assert job.wait(timeout=10).state == "cancelled"
    worker.stop()


@pytest.mark.parametrize("pool_name", ["threads", "prefork"])
@pytest.mark.parametrize("restart", [False, True], ids=["all workers down", "killed and restarted"])
def test_x1_a_job_that_is_cancelled_before_it_is_taken_never_starts(restart, start_worker, pool_name, tmp_path):
    queue = f"before-{pool_name}-{restart}"
    client = outrider.Client(outrider.Settings(queue=queue))
    mark = tmp_path / "started"
    if restart:
        first = start_worker(pool=pool_name, concurrency=1, OUTRIDER_QUEUE=queue)
        blocker = running(client.submit(Sleep(seconds=60)))
    job = client.submit(Shell(script=f"touch {mark}"))
    begun = time.monotonic()
    assert job.cancel() == "cancelled"
    assert time.monotonic() - begun < 1
    if restart:
        first.process.kill()
        blocker.cancel()
    second = start_worker(pool=pool_name, concurrency=1, OUTRIDER_QUEUE=queue)
    assert client.submit(Shell(script="true")).wait(timeout=20).state == "succeeded"  # the one behind it
    assert (job.status(), job.record().attempt, mark.exists()) == ("cancelled", 0, False)
    second.stop()


def test_x3_cancel_of_a_closed_job_changes_nothing_and_twice_is_once(pool, producer):
    client, _ = pool
    done = client.submit(Sleep(seconds=0))
    done.result(timeout=10)
    assert done.cancel() == "succeeded"
    assert done.record().outcome.state == "succeeded"
    job = running(client.submit(Sleep(seconds=60)))
    for _ in range(3):
        client.job(job.id).cancel()
    assert job.wait(timeout=10).state == "cancelled"
    assert [m.state for m in job.watch() if m.kind == "state"].count("cancelling") == 1


def test_x4_silence_is_a_time_out_when_the_limit_says_so(producer, worker):
    job = producer.submit(Shell(script="echo one; sleep 60"), limits=Limits(no_output="0.7s"))
    outcome = job.wait(timeout=10)
    assert outcome.state == "timed_out"
    assert "wrote nothing" in outcome.error
    talks = producer.submit(
        Shell(script="for i in 1 2 3 4 5 6; do echo $i; sleep 0.3; done"), limits=Limits(no_output="0.9s")
    )
    assert talks.wait(timeout=10).state == "succeeded"


def test_x4_queue_wait_has_a_limit_of_its_own(producer, worker):
    client = outrider.Client(outrider.Settings(queue="nobody-takes-this"))
    job = client.submit(Sleep(seconds=0), options=outrider.client.SubmitOptions(limits=Limits(queue="0.5s")))
    outcome = job.wait(timeout=20)
    assert outcome.state == "timed_out"
    assert "queue" in outcome.error
    assert job.record().attempt == 0


def test_e7_memory_of_the_whole_tree_is_bounded_and_its_peak_recorded(producer, worker):
    hungry = "python3 -c 'import time; x = bytearray(150 << 20); time.sleep(30)'"
    job = producer.submit(Shell(script=f"{hungry} & {hungry} & wait"), limits=Limits(memory="200MiB"))
    outcome = job.wait(timeout=20)
    assert (outcome.state, outcome.reason) == ("failed", "out_of_memory")
    assert outcome.exit.peak_rss > 200 << 20
    assert not with_cookie(job.id)


def test_the_kernel_takes_the_program_before_the_worker(producer, worker):
    job = running(producer.submit(Sleep(seconds=60)))
    score = int(Path(f"/proc/{job.record().run.pid}/oom_score_adj").read_text())
    assert score > int(Path(f"/proc/{worker.process.pid}/oom_score_adj").read_text())
    job.cancel()


def test_a_process_that_a_successful_job_left_behind_is_swept(producer, worker, tmp_path):
    job = producer.submit(Shell(script="setsid sleep 300 > /dev/null 2>&1 & exit 0"))
    assert job.wait(timeout=10).state == "succeeded"
    eventually(lambda: not with_cookie(job.id), "what it left is gone", 5)


@pytest.mark.parametrize("pool_name", ["threads", "prefork"])
def test_x6_a_killed_worker_leaves_no_program(pool_name, start_worker):
    queue = f"killed-{pool_name}"
    worker = start_worker(pool=pool_name, concurrency=4, OUTRIDER_QUEUE=queue)
    client = outrider.Client(outrider.Settings(queue=queue))
    jobs = [client.submit("shell", {"script": s.replace("$0", "/dev/null")}) for s in STUBBORN.values()]
    for job in jobs:
        running(job)
    eventually(lambda: all(len(with_cookie(job.id)) >= 2 for job in jobs[1:]), "all have their processes")
    for pid in children_of(worker.process.pid) if pool_name == "prefork" else []:
        os.kill(pid, signal.SIGKILL)
    worker.process.kill()
    eventually(lambda: not any(with_cookie(job.id) for job in jobs), "no program of it is alive", 10)
    for job in jobs:
        job.cancel()


def children_of(pid):
    """Return the children of all of a process's threads."""
    try:
        return [int(p) for task in Path(f"/proc/{pid}/task").iterdir() for p in (task / "children").read_text().split()]
    except OSError:  # it ended while we looked
        return []


def descendants_of(pid):
    return [p for child in children_of(pid) for p in (child, *descendants_of(child))]


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


@pytest.mark.parametrize("pool_name", ["threads", "prefork"])
@pytest.mark.parametrize("whole_group", [False, True], ids=["worker", "group"])
def test_x6_term_drains_then_hands_back_and_leaves_with_zero(pool_name, whole_group, start_worker):
    queue = f"drain-{pool_name}-{whole_group}"
    worker = start_worker(
        pool=pool_name, concurrency=2, own_group=True, OUTRIDER_QUEUE=queue, OUTRIDER_DRAIN_TIMEOUT="2"
    )
    client = outrider.Client(outrider.Settings(queue=queue))
    short, long = client.submit(Sleep(seconds=1)), client.submit(Sleep(seconds=60))
    running(short), running(long)
    late = client.submit(Sleep(seconds=0))
    if whole_group:
        os.killpg(worker.process.pid, signal.SIGTERM)
    else:
        worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(20) == 0, worker.text()
    assert short.status() == "succeeded"
    assert long.status() == "queued"
    assert "shuts down" in long.record().attempts[1].error
    assert (late.status(), late.record().attempt) == ("queued", 0)
    assert not with_cookie(long.id)
    start_worker(concurrency=2, OUTRIDER_QUEUE=queue, OUTRIDER_LEASE="1s")
    eventually(lambda: long.record().attempt == 2 and long.status() == "running", "it runs again", 20)
    long.cancel()


def test_x6_a_second_term_hurries(start_worker):
    worker = start_worker(OUTRIDER_QUEUE="hurry", OUTRIDER_DRAIN_TIMEOUT="60")
    job = running(outrider.Client(outrider.Settings(queue="hurry")).submit(Sleep(seconds=60)))
    worker.process.send_signal(signal.SIGTERM)
    eventually(lambda: "Warm shutdown" in worker.text(), "it drains")
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(10) == 0
    assert job.status() == "queued"
    job.cancel()


def test_x7_what_happens_to_one_job_does_not_touch_the_others(producer, worker):
    others = [running(producer.submit(Sleep(seconds=4))) for _ in range(3)]
    pids = [job.record().run.pid for job in others]
    crashes = producer.submit(Shell(script="kill -SEGV $$"))
    assert crashes.wait(timeout=10).reason == "signal"
    cancelled = running(producer.submit(Sleep(seconds=60)))
    cancelled.cancel()
    assert cancelled.wait(timeout=10).state == "cancelled"
    late = producer.submit(Sleep(seconds=60), limits=Limits(run="0.3s"))
    assert late.wait(timeout=10).state == "timed_out"
    assert [job.wait(timeout=20).state for job in others] == ["succeeded"] * 3
    assert [job.record().run.pid for job in others] == pids


def test_the_guardian_is_replaced_when_it_dies(start_worker):
    worker = start_worker(OUTRIDER_QUEUE="guarded")
    client = outrider.Client(outrider.Settings(queue="guarded"))
    job = running(client.submit(Sleep(seconds=60)))

    def guardians():
        return [pid for pid in descendants_of(worker.process.pid) if "sweep.py" in command_of(pid)]

    first = eventually(guardians, "a guardian watches")
    os.kill(first[0], signal.SIGKILL)
    eventually(lambda: (new := guardians()) and new != first, "another one watches", 5)
    worker.process.kill()
    eventually(lambda: not with_cookie(job.id), "the second one did the work", 10)
    job.cancel()
