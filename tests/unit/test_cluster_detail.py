"""What is counted and remembered of a cluster, page by page and by the server's clock."""

from datetime import UTC, datetime, timedelta

import pytest

from outrider import Settings
from outrider.client.cluster_detail import cluster_detail
from outrider.client.system_detail import JobCounts, QueueDetail
from outrider.communicators import Bounds, JobSpec, RedisClient, commands

HOUR_MS = 3_600_000


@pytest.fixture
def ledger(own_redis):
    return RedisClient(own_redis.url, timedelta(seconds=5))


def facts(name, **changes):
    known = {
        "name": name,
        "host": "a",
        "pid": 1,
        "pool": "threads",
        "slots": 4,
        "queues": ("outrider",),
        "interval": timedelta(seconds=5),
        "started_at": datetime.now(UTC),
        "outrider_version": "1",
        "python_version": "3",
    }
    return commands.WorkerFacts(**known | changes)


def record(own_redis, job_id, moment, **fields):
    own_redis.client.zadd("outrider:jobs", {job_id: moment})
    own_redis.client.hset(f"outrider:job:{job_id}", mapping=fields)


def heard_ago(own_redis, name, ms):
    own_redis.client.zincrby("outrider:workers", -ms, name)


def test_each_job_counts_once_also_where_pages_meet_within_one_moment(ledger, own_redis):
    for number in range(2600):
        moment = number if number < 900 else 900 + (number > 2300)
        record(own_redis, f"job-{number}", moment, state="queued" if number % 2 else "lost", queue=f"q{number % 4}")
    own_redis.client.zadd("outrider:jobs", {"expired": 950})
    assert len(list_pages(ledger)) > 1
    detail = cluster_detail(ledger, Settings(queue="q1"))
    assert detail.jobs == JobCounts(queued=1300, lost=1300)
    assert detail.queues == (QueueDetail(name="q1", queued=650), QueueDetail(name="q3", queued=650))


def list_pages(ledger):
    pages = [ledger.run(commands.survey())]
    while pages[-1].next is not None:
        pages.append(ledger.run(commands.survey(pages[-1].next)))
    return pages


def test_claimed_jobs_count_for_their_worker_alone(ledger, own_redis):
    for number, state in enumerate(("starting", "running", "paused", "cancelling", "queued", "succeeded", "lost")):
        record(own_redis, f"job-{number}", number, state=state, queue="q", worker="w@a")
    record(own_redis, "other", 9, state="running", queue="q", worker="w@b")
    for name in ("w@b", "w@a", "idle@c"):
        ledger.run(commands.beat(facts(name)))
    workers = cluster_detail(ledger, Settings()).workers
    assert [(worker.name, worker.running) for worker in workers] == [("idle@c", 0), ("w@a", 4), ("w@b", 1)]


def test_queues_are_those_of_the_settings_of_waiting_jobs_and_of_workers(ledger):
    spec = JobSpec(id="1", task="t", version="", parameters={}, queue="waits")
    ledger.run(commands.open_job(spec, Bounds(100, timedelta(days=1))))
    ledger.run(commands.beat(facts("w@a", queues=("taken",))))
    assert cluster_detail(ledger, Settings(queue="mine", max_queued=50)).queues == (
        QueueDetail(name="mine", queued=0, limit=50),
        QueueDetail(name="taken", queued=0, limit=50),
        QueueDetail(name="waits", queued=1, limit=50),
    )


@pytest.mark.parametrize(("ago_ms", "silent"), [(14_000, False), (16_000, True)])
def test_a_worker_is_silent_after_three_of_its_own_beats_were_missed(ago_ms, silent, ledger, own_redis):
    ledger.run(commands.beat(facts("w@a", interval=timedelta(seconds=5))))
    heard_ago(own_redis, "w@a", ago_ms)
    (worker,) = cluster_detail(ledger, Settings(heartbeat_interval=timedelta(hours=1))).workers
    assert worker.heartbeat_age_seconds == pytest.approx(ago_ms / 1000, abs=0.9)
    assert worker.silent is silent


def test_a_worker_that_is_not_heard_for_an_hour_is_forgotten_by_the_next(ledger, own_redis):
    for name in ("dead@a", "hangs@a", "lives@a"):
        ledger.run(commands.beat(facts(name)))
    heard_ago(own_redis, "dead@a", HOUR_MS + 1)
    heard_ago(own_redis, "hangs@a", HOUR_MS - 60_000)
    ledger.run(commands.beat(facts("lives@a")))
    assert own_redis.client.zrange("outrider:workers", 0, -1) == [b"hangs@a", b"lives@a"]
    assert sorted(own_redis.client.hkeys("outrider:workers:facts")) == [b"hangs@a", b"lives@a"]


def test_a_worker_that_beats_seldom_is_not_forgotten_between_its_beats(ledger, own_redis):
    for name in ("first@a", "second@a", "first@a"):
        ledger.run(commands.beat(facts(name, interval=timedelta(hours=2))))
        heard_ago(own_redis, name, HOUR_MS + 1)
    assert [worker.name for worker in cluster_detail(ledger, Settings()).workers] == ["first@a", "second@a"]


def test_a_worker_that_leaves_leaves_nothing(ledger, own_redis):
    ledger.run(commands.beat(facts("w@a")))
    ledger.run(commands.forget_worker("w@a"))
    assert own_redis.client.exists("outrider:workers", "outrider:workers:facts") == 0
