"""The strategy on the cluster, where things go wrong that cannot in one process."""

import asyncio
import time

import pytest
from little_tasks import Returns, Shell, Sleep
from strategies import Conformance, until

import outrider
from outrider import BrokerUnavailable, CeleryExecutionStrategy, Coordinator, CoordinatorClosed, Finished, LogLines
from outrider.client.coordinator import follower


@pytest.fixture
def one(environment, start_worker):
    conformance = Conformance("celery", start_worker, concurrency=1)
    yield conformance
    conformance.worker.stop()


def test_j3_a_broker_that_is_not_there_is_said_in_time_and_nothing_is_recorded(environment):
    away = {"broker_url": "redis://127.0.0.1:1/0"}

    async def body(session):
        begun = time.monotonic()
        with pytest.raises(BrokerUnavailable, match=r"127\.0\.0\.1:1"):
            await session.submit(Returns(value=1))
        assert time.monotonic() - begun < 5 + 2
        assert len(session.coordinator.state) == 0
        assert "127.0.0.1:1" in (await session.detail()).problem

    unmanned(environment).run(body, **away)


def test_k4_a_snapshot_needs_no_worker(environment, redis_server):
    async def body(session):
        job = await session.submit(Returns(value=1))
        name = (await job.record()).spec.queue
        detail = await session.detail()
        assert [queue.queued for queue in detail.queues if queue.name == name] == [1]
        assert not any(name in worker.queues for worker in detail.workers)
        assert await job.status() == "queued"

    unmanned(environment).run(body, manned=False)


def unmanned(_environment):
    conformance = Conformance.__new__(Conformance)
    conformance.mode, conformance.is_local, conformance.concurrency, conformance.queue = "celery", False, 1, "nobody"
    conformance.changes = {}
    return conformance


def test_r4_detached_jobs_go_on_when_the_coordinator_is_gone(one):
    async def body():
        coordinator = Coordinator({"celery": CeleryExecutionStrategy(settings=one.settings(), detached=True)})
        job = await coordinator.submit(Shell(script="sleep 0.5; echo done"), "celery")
        waiting = asyncio.create_task(job.wait())
        await asyncio.sleep(0)
        await coordinator.shutdown(5)
        with pytest.raises(CoordinatorClosed):
            await waiting
        return job.id

    job_id = asyncio.run(body())
    assert outrider.job(job_id).wait(20).state == "succeeded"


def test_c9_connections_that_are_cut_lose_no_message(one, redis_server):
    async def body(session):
        jobs = [await session.submit(Shell(script=f"echo {n}; sleep 0.3; echo {n}")) for n in range(3)]
        for _ in range(4):
            redis_server.client.client_kill_filter(_type="normal", skipme=True)
            await asyncio.sleep(0.2)
        for job in jobs:
            assert (await job.wait(30)).state == "succeeded"
        await session.coordinator.publisher.flush(5)
        for n, job in enumerate(jobs):
            assert [line for m in session.of(job, LogLines) for line in m.lines] == [str(n)] * 2
            assert len(session.of(job, Finished)) == 1
            positions = [m.stamp.position for m in session.told if m.stamp.job_id == job.id]
            assert len(positions) == len(set(positions))

    one.run(body)


def test_jobs_that_are_not_read_as_they_go_are_told_in_full_once_they_end(one, monkeypatch):
    monkeypatch.setattr(follower, "_MOST_READ", 1)

    async def body(session):
        jobs = [await session.submit(Shell(script=f"echo {n}")) for n in range(5)]
        for n, job in enumerate(jobs):
            await job.wait(20)
            assert [line for m in session.of(job, LogLines) for line in m.lines] == [str(n)]
        assert await session.ends() == {job.id: ["succeeded"] for job in jobs}

    one.run(body)


def test_a_job_whose_messages_are_gone_still_ends(one, redis_server):
    async def body(session):
        job = await session.running(await session.submit(Shell(script="sleep 0.7")))
        redis_server.client.delete(f"outrider:job:{job.id}:messages")
        await until(
            lambda: redis_server.client.hget(f"outrider:job:{job.id}", "state"), b"succeeded".__eq__, "it ended"
        )
        redis_server.client.delete(f"outrider:job:{job.id}:messages")
        assert (await job.wait(10)).state == "succeeded"

    one.run(body)


def test_k3_an_id_that_is_taken_on_the_cluster_is_refused(one):
    async def body(session):
        job = await session.submit(Returns(value=1))
        await job.wait(20)
        with pytest.raises(outrider.DuplicateJob, match=job.id):
            await session.submit(outrider.Invocation(job.id, Returns(value=2)))
        own = await session.submit(outrider.Invocation(f"own-{job.id}", Returns(value=3)))
        assert own.id == f"own-{job.id}"
        assert await own.result(20) == 3

    one.run(body)


def test_a_job_that_somebody_else_cancels_ends_here_too(one):
    async def body(session):
        job = await session.running(await session.submit(Sleep(seconds=60)))
        await asyncio.to_thread(outrider.job(job.id).cancel)
        assert (await job.wait(10)).state == "cancelled"

    one.run(body)


def test_k5_a_submit_that_is_cancelled_or_overtaken_by_a_shutdown_leaves_no_job(environment, redis_server, monkeypatch):
    from outrider.client.submission import Submission

    ids = []
    hand_over = Submission.hand_over

    def slowly(self, spec, options):
        ids.append(spec.id)
        time.sleep(0.3)
        return hand_over(self, spec, options)

    monkeypatch.setattr(Submission, "hand_over", slowly)

    async def body(session):
        submits = [asyncio.create_task(session.submit(Returns(value=n))) for n in range(2)]
        await until(lambda: len(ids), lambda count: count == 2, "they are under way")
        submits[0].cancel()
        await session.coordinator.shutdown()
        ends = await asyncio.gather(*submits, return_exceptions=True)
        assert sorted(type(end).__name__ for end in ends) == ["CancelledError", "CoordinatorClosed"]
        assert session.coordinator.state.open_jobs == ()
        backend = session.coordinator._strategies["celery"].backend
        assert [(await backend.record(job_id)).state for job_id in ids] == ["cancelled"] * 2
        await backend.close()

    unmanned(environment).run(body, manned=False)
