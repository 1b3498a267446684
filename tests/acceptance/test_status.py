"""K4: how the cluster stands: jobs, queues, workers; also when nobody works."""

import json
import os
import platform
import signal
import time
import uuid
from datetime import timedelta
from importlib.metadata import version

import pytest
from little_tasks import Shell, Sleep, Sum
from support import eventually

import outrider
from outrider import Client, Settings
from outrider.client.cluster_detail import cluster_detail
from outrider.client.system_detail import JobCounts, QueueDetail, SystemDetail
from outrider.communicators import Bounds, JobSpec, commands

POOLS = ["threads", "prefork", "solo"]


@pytest.fixture
def settings(environment, own_redis):
    return Settings(broker_url=own_redis.url)


@pytest.fixture
def client(settings):
    return Client(settings)


@pytest.fixture
def start_own(start_worker, own_redis, request):
    """Start a worker of the test's own Redis, and stop it before that."""

    def start(**options):
        worker = start_worker(OUTRIDER_BROKER_URL=own_redis.url, OUTRIDER_DRAIN_TIMEOUT="1s", **options)
        request.addfinalizer(worker.stop)
        return worker

    return start


def detail(client):
    return cluster_detail(client.redis, client._settings)


def running(job):
    eventually(lambda: job.status() == "running", "the program runs")
    return job


def heard(client, worker):
    """What is known of a worker."""
    return next((known for known in detail(client).workers if known.name == worker.name), None)


def test_k4_states_and_queues_are_counted_while_jobs_run_and_when_nobody_works(client, start_own):
    worker = start_own(concurrency=1)
    assert client.submit(Sum(left=1, right=1)).result(timeout=20) == 2
    assert client.submit(Shell(script="exit 3")).wait(timeout=20).state == "failed"
    runs = running(client.submit(Sleep(seconds=60)))
    client.submit(Sleep(seconds=60)).cancel()
    waits = client.submit(Sum(left=1, right=1))
    now = detail(client)
    assert now.jobs == JobCounts(queued=1, running=1, succeeded=1, failed=1, cancelled=1)
    assert now.queues == (QueueDetail(name="outrider", queued=1),)
    runs.cancel()
    assert waits.result(timeout=20) == 2
    worker.stop()
    for queue in ("outrider", "aside", "aside"):
        client.submit(Sum(left=1, right=1), options=outrider.client.SubmitOptions(queue=queue))
    later = detail(client)
    assert later.jobs == JobCounts(queued=3, succeeded=2, failed=1, cancelled=2)
    assert later.queues == (QueueDetail(name="aside", queued=2), QueueDetail(name="outrider", queued=1))
    assert later.workers == ()


@pytest.mark.parametrize("pool", POOLS)
def test_k4_a_worker_tells_of_itself_also_while_it_works(pool, client, start_own):
    worker = start_own(pool=pool, concurrency=3)
    eventually(lambda: heard(client, worker), "it is heard")
    running(client.submit(Sleep(seconds=2.5)))
    for _ in range(3):  # a job in the `solo` pool holds up the consumer
        known = heard(client, worker)
        assert known.heartbeat_age_seconds < 1.4
        time.sleep(0.6)
    assert (known.running, known.slots, known.pool) == (1, 1 if pool == "solo" else 3, pool)
    assert (known.version, known.python_version) == (version("outrider"), platform.python_version())
    assert (known.host, known.pid, known.queues) == (platform.node(), worker.process.pid, ("outrider",))
    assert not known.silent
    eventually(lambda: heard(client, worker).running == 0, "the job has ended")


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_k4_a_killed_worker_grows_silent_and_one_that_was_stopped_is_gone(pool, client, start_own):
    killed, stopped = start_own(pool=pool, concurrency=1), start_own(pool=pool, concurrency=1)
    eventually(lambda: len(detail(client).workers) == 2, "both are heard")
    assert detail(client).slots == 2
    os.kill(killed.process.pid, signal.SIGKILL)
    killed.process.wait()
    stopped.stop()
    assert heard(client, stopped) is None, "it has said that it ends"
    eventually(lambda: heard(client, killed).silent, "it is silent", 5)
    assert heard(client, killed).heartbeat_age_seconds > 1.5
    assert detail(client).slots == 0


def test_k4_a_worker_that_drains_is_heard_until_its_jobs_have_ended(client, start_own):
    worker = start_own(concurrency=1)
    running(client.submit(Shell(script="trap '' TERM; sleep 60")))
    worker.process.send_signal(signal.SIGTERM)
    eventually(lambda: "Warm shutdown" in worker.text(), "it drains")
    time.sleep(0.8)  # more than a beat
    assert heard(client, worker).heartbeat_age_seconds < 0.8
    worker.process.wait(20)
    assert heard(client, worker) is None


def test_k4_a_worker_is_heard_again_after_redis_was_away(client, start_own, own_redis):
    worker = start_own(concurrency=1)
    eventually(lambda: heard(client, worker), "it is heard")
    own_redis.stop()
    eventually(lambda: "cannot say that we live" in worker.text(), "it has noticed")
    own_redis.client.connection_pool.disconnect()
    own_redis.start()
    eventually(lambda: heard(client, worker) and heard(client, worker).heartbeat_age_seconds < 1, "it is heard again")
    assert worker.text().count("cannot say that we live") == 1


@pytest.mark.alone
def test_k4_ten_thousand_jobs_are_surveyed_within_200_ms(client):
    bounds = Bounds(100, timedelta(days=1))
    specs = [
        JobSpec(id=uuid.uuid4().hex, task="t", version="1", parameters={"number": number}, queue=f"q{number % 2}")
        for number in range(10_000)
    ]
    answers = client.redis.run_many([commands.open_job(spec, bounds) for spec in specs])
    assert answers == [spec.id for spec in specs]
    took = []
    for _ in range(5):  # the best counts: the machine may be busy with something else
        begun = time.perf_counter()
        found = detail(client)
        took.append(time.perf_counter() - begun)
        assert found.jobs == JobCounts(queued=10_000)
        assert [queue.queued for queue in found.queues] == [0, 5_000, 5_000]
    assert min(took) < 0.2, took


def test_k4_the_command_line_prints_it_for_programs(client, start_own, own_redis, cli):
    worker = start_own(concurrency=2)
    eventually(lambda: heard(client, worker), "it is heard")
    running(client.submit(Sleep(seconds=60)))
    done = cli("status", "--json", OUTRIDER_BROKER_URL=own_redis.url, OUTRIDER_MAX_QUEUED="70")
    assert done.returncode == 0, done.stderr
    system = SystemDetail.model_validate(json.loads(done.stdout))
    (cluster,) = system.strategies
    assert (cluster.mode, cluster.jobs, system.jobs) == ("celery", JobCounts(running=1), JobCounts(running=1))
    assert cluster.queues == (QueueDetail(name="outrider", queued=0, limit=70),)
    assert [(w.name, w.running, w.slots) for w in cluster.workers] == [(worker.name, 1, 2)]


def test_k4_the_command_line_prints_it_for_people(client, start_own, own_redis, cli):
    def shown():
        done = cli("status", OUTRIDER_BROKER_URL=own_redis.url)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert shown().startswith("no jobs and no workers in unix://")
    client.submit(Sleep(seconds=60))
    nobody = [line.split() for line in shown().splitlines()]
    assert ["queued", "1"] in nobody
    assert ["outrider", "1", "none", "0"] in nobody
    assert "no workers: queued jobs wait" in shown()
    worker = start_own(concurrency=2)
    eventually(lambda: heard(client, worker) and heard(client, worker).running, "it works")
    assert f"{worker.name}  " in shown()
    assert "1 of 2" in shown()
    assert "silent" not in shown()
    worker.process.kill()
    worker.process.wait()
    eventually(lambda: heard(client, worker).silent, "it is silent", 5)
    assert "silent, " in shown()
