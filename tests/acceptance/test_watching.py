"""C9, C10: those who watch a job: late, badly behaved, or while Redis is away."""

import itertools
import threading
import time

import pytest
from little_tasks import Shell
from own_tasks import Paced, Reports
from support import eventually

import outrider
from outrider import Finished, Heartbeat, LogLines, Progress, Report, StateChanged
from outrider.communicators import Snapshot

COUNTS = "for i in 1 2 3 4 5 6 7 8; do echo at $i of 8 steps; sleep 0.15; done"


def test_c10_who_comes_late_gets_a_snapshot_and_then_everything_from_the_first_message_on(producer, worker):
    job = producer.submit(Shell(script=COUNTS))
    eventually(lambda: (job.record().progress or Progress(done=0)).done >= 3, "it is under way")
    messages = list(job.watch(timeout=20))
    assert isinstance(messages[0], Snapshot)
    assert (messages[0].state, messages[0].attempt, messages[0].progress.done >= 3) == ("running", 1, True)
    assert isinstance(messages[1], StateChanged)
    assert messages[1].state == "queued"
    assert [m.done for m in messages if isinstance(m, Progress)] == list(range(1, 9))
    assert isinstance(messages[-1], Finished)


def test_c10_who_wants_no_replay_gets_a_snapshot_and_what_comes_next(producer, worker):
    job = producer.submit(Shell(script=COUNTS))
    eventually(lambda: (job.record().progress or Progress(done=0)).done >= 4, "it is under way")
    messages = list(job.watch(timeout=20, replay=False))
    assert isinstance(messages[0], Snapshot)
    assert all(m.done > 3 for m in messages if isinstance(m, Progress))
    assert isinstance(messages[-1], Finished)


def test_c10_a_closed_job_can_be_watched_from_its_first_message_on(producer, worker):
    job = producer.submit(Shell(script="echo said"))
    job.wait(timeout=20)
    messages = list(job.watch(timeout=5))
    assert (messages[0].state, messages[1].state) == ("succeeded", "queued")
    assert [line for m in messages if isinstance(m, LogLines) for line in m.lines] == ["said"]


def test_c10_bad_subscribers_disturb_nobody(producer, worker):
    job = producer.submit(Shell(script=COUNTS))
    problems: list[BaseException] = []

    def raises():
        try:
            for _ in job.watch(timeout=20):
                int("no number")
        except ValueError as error:
            problems.append(error)

    def leaves():
        next(job.watch(timeout=20))

    watchers = [threading.Thread(target=target) for target in (raises, leaves) for _ in range(3)]
    for watcher in watchers:
        watcher.start()
    never_read = [job.watch(timeout=20) for _ in range(3)]
    messages = list(job.watch(timeout=20))
    for watcher in watchers:
        watcher.join(10)
    assert [m.done for m in messages if isinstance(m, Progress)] == list(range(1, 9))
    assert len(problems) == 3
    assert job.wait(timeout=1).state == "succeeded"
    for generator in never_read:
        generator.close()


@pytest.mark.slow
def test_c9_redis_gone_for_ten_seconds_loses_nothing_and_workers_go_on(own_redis, start_worker):
    worker = start_worker(concurrency=2, OUTRIDER_BROKER_URL=own_redis.url, OUTRIDER_LEASE="4s")
    client = outrider.Client(outrider.Settings(broker_url=own_redis.url))
    job = client.submit(Paced(count=150, pause=0.1))
    chatty = client.submit(Shell(script="i=0; while [ $i -lt 1500 ]; do i=$((i+1)); echo line $i; sleep 0.01; done"))
    eventually(lambda: job.status() == chatty.status() == "running", "both run")
    time.sleep(1)  # some messages are on their way
    own_redis.stop()
    time.sleep(10)  # what the test is about: so long there is no Redis
    own_redis.start()
    values = [m.value for m in job.watch(timeout=60) if isinstance(m, Report)]
    assert values == list(range(150))
    assert job.wait(timeout=1).state == "succeeded"
    assert chatty.wait(timeout=60).state == "succeeded"
    logs = [m for m in chatty.watch(timeout=10) if isinstance(m, LogLines)]
    assert sum(len(m.lines) + m.dropped for m in logs) == 1500
    numbers = [m.sequence for m in logs]
    assert numbers == sorted(set(numbers))
    begun = time.monotonic()
    assert client.submit(Shell(script="true")).wait(timeout=30).state == "succeeded"
    assert time.monotonic() - begun < 30
    assert worker.process.poll() is None
    worker.stop()


def test_c4_reports_of_many_tasks_at_once_arrive_each_in_its_order(producer, worker):
    jobs = [producer.submit(Reports(count=200)) for _ in range(6)]
    for job in jobs:
        assert [m.value for m in job.watch(timeout=40) if isinstance(m, Report)] == list(range(200))


def test_messages_have_numbers_by_source_without_a_gap(producer, worker):
    job = producer.submit(Paced(count=30, pause=0.01))
    messages = [m for m in job.watch(timeout=20) if isinstance(m, Report | LogLines | Progress | Heartbeat)]
    for source, group in itertools.groupby(sorted(messages, key=lambda m: m.source), key=lambda m: m.source):
        assert [m.sequence for m in group] == list(range(1, sum(m.source == source for m in messages) + 1)), source
