"""K1, K3, K5: the coordinator itself, with strategies that misbehave."""

import asyncio
import logging
from datetime import timedelta

import pytest

import outrider
from outrider import (
    AsyncioExecutionStrategy,
    Coordinator,
    CoordinatorClosed,
    CoordinatorState,
    DuplicateJob,
    Finished,
    InvalidParameters,
    Invocation,
    JobNotFound,
    JobState,
    NoOutcome,
    Outcome,
    Publisher,
    UnknownStrategy,
)
from outrider.client.coordinator import JobEntry
from outrider.communicators import Stamp
from outrider.config import Settings
from outrider.config.errors import JobClosed

DONE = Outcome(state=JobState.SUCCEEDED, result=1)


@pytest.fixture
def settings(tmp_path):
    return Settings(project=tmp_path, work_root=tmp_path / "jobs", grace="0.5s")


def run(body):
    async def main():
        async with asyncio.timeout(20):
            return await body()

    return asyncio.run(main())


# --- its state


def test_k1_a_state_begins_empty_and_jobs_are_added_and_ended():
    state = CoordinatorState.empty()
    assert len(state) == 0
    opened = state.add_job("123", "wc", "asyncio")
    assert (opened.job_id, opened.task, opened.mode, opened.is_open) == ("123", "wc", "asyncio", True)
    assert state.open_jobs == (opened,)
    closed = state.end_job("123", result=DONE)
    assert (closed.is_open, closed.outcome) == (False, DONE)
    assert opened.opened_at <= closed.closed_at
    assert state.open_jobs == ()
    assert state.closed_jobs == (closed,)
    assert "123" in state
    assert list(state) == [closed]
    assert list(CoordinatorState([opened, JobEntry("4", "wc", "x", opened.opened_at)])) == [
        opened,
        JobEntry("4", "wc", "x", opened.opened_at),
    ]


def test_k3_duplicate_ids_double_ends_and_bad_results_are_errors():
    state = CoordinatorState.empty()
    state.add_job("1", "wc", "asyncio")
    with pytest.raises(DuplicateJob, match="'1'"):
        state.add_job("1", "wc", "asyncio")
    for result in ("success", None, Outcome(state=JobState.RUNNING)):
        with pytest.raises(NoOutcome, match="job 1 cannot end with"):
            state.end_job("1", result)
    assert state["1"].is_open
    state.end_job("1", DONE)
    with pytest.raises(JobClosed, match="job 1 is succeeded"):
        state.end_job("1", DONE)
    with pytest.raises(DuplicateJob):
        state.add_job("1", "wc", "asyncio")
    with pytest.raises(JobNotFound):
        state.end_job("2", DONE)


def test_j10_of_very_many_closed_jobs_the_oldest_are_forgotten(monkeypatch):
    monkeypatch.setattr("outrider.client.coordinator.state._MOST_CLOSED", 3)
    state = CoordinatorState.empty()
    for number in range(5):
        state.add_job(str(number), "wc", "asyncio")
    for number in range(4):
        state.end_job(str(number), DONE)
    assert [entry.job_id for entry in state] == ["1", "2", "3", "4"]


# --- how it is made and started


@pytest.mark.parametrize("modes", [{}, {"a": object()}, {"a": AsyncioExecutionStrategy}])
def test_k3_what_is_no_strategy_is_refused(modes):
    with pytest.raises((TypeError, ValueError), match="execution mode"):
        Coordinator(modes)


def test_k3_one_strategy_cannot_have_two_names(settings):
    strategy = AsyncioExecutionStrategy(settings=settings)
    with pytest.raises(ValueError, match="a strategy of its own"):
        Coordinator({"a": strategy, "b": strategy})


def test_k3_a_strategy_needs_a_slot(settings):
    with pytest.raises(ValueError, match="concurrency=0"):
        AsyncioExecutionStrategy(concurrency=0, settings=settings)


def test_k3_an_unknown_mode_raises_before_anything_is_recorded(settings):
    async def body():
        async with Coordinator({"asyncio": AsyncioExecutionStrategy(settings=settings)}) as coordinator:
            with pytest.raises(
                UnknownStrategy, match="no execution mode is called 'thread'; this coordinator has asyncio"
            ):
                await coordinator.submit(lambda: 1, "thread")
            assert len(coordinator.state) == 0
            assert (await coordinator.system_detail()).jobs.queued == 0

    run(body)


def test_k1_it_tells_the_publisher_that_it_was_started_with(settings):
    async def body():
        publisher, told = Publisher(), []
        publisher.subscribe(told.append)
        coordinator = Coordinator(execution_modes={"asyncio": AsyncioExecutionStrategy(settings=settings)})
        coordinator.start(publisher)
        with pytest.raises(RuntimeError, match="started once"):
            coordinator.start(Publisher())
        job = await coordinator.submit(task=lambda: 1, mode="asyncio")
        assert await job.result() == 1
        await coordinator.shutdown()
        assert isinstance(told[-1], Finished)
        publisher.publish(told[-1])  # it is somebody else's, and goes on
        await publisher.close()
        assert len([m for m in told if isinstance(m, Finished)]) == 2

    run(body)


def test_k1_submit_starts_a_coordinator_that_was_not_started(settings):
    async def body():
        coordinator = Coordinator({"asyncio": AsyncioExecutionStrategy(settings=settings)})
        assert await (await coordinator.submit(lambda: 1, "asyncio")).result() == 1
        await coordinator.shutdown()

    run(body)


def test_k1_messages_about_others_jobs_and_second_ends_are_passed_over(settings):
    async def body():
        async with Coordinator({"asyncio": AsyncioExecutionStrategy(settings=settings)}) as coordinator:
            job = await coordinator.submit(lambda: 1, "asyncio")
            await job.wait()
            end = Finished(outcome=Outcome(state=JobState.FAILED))
            coordinator.handle_item(end)
            for job_id in (job.id, "another"):
                stamp = Stamp(job_id=job_id, attempt=1, at=coordinator.state[job.id].opened_at, position="9")
                coordinator.handle_item(end.model_copy(update={"stamp": stamp}))
            assert coordinator.state[job.id].outcome.state == "succeeded"
            assert "another" not in coordinator.state

    run(body)


# --- ids of others


def test_k1_an_invocation_is_invoked_here_and_now(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("OUTRIDER_PROJECT", str(tmp_path))

    async def doubled():
        await asyncio.sleep(0)
        return 4

    async def body():
        from little_tasks import Sum

        assert await Invocation("123", lambda: 3).invoke() == 3
        assert await Invocation("124", doubled).invoke() == 4
        assert await Invocation(None, Sum(left=2, right=3)).invoke() == 5
        assert await Invocation(None, "sum", {"left": 2, "right": 4}).invoke() == 6
        with pytest.raises(outrider.JobFailed, match="ZeroDivisionError"):
            await Invocation(None, lambda: 1 // 0).invoke()

    monkeypatch.setenv("OUTRIDER_TASKS", "little_tasks")
    run(body)


def test_k3_an_invocations_id_is_the_jobs_and_must_be_new_and_a_word(settings):
    async def body():
        async with Coordinator({"asyncio": AsyncioExecutionStrategy(settings=settings)}) as coordinator:
            job = await coordinator.submit(Invocation("123", lambda: 1), "asyncio")
            assert job.id == "123"
            await job.wait()
            with pytest.raises(DuplicateJob, match="'123'"):
                await coordinator.submit(Invocation("123", lambda: 1), "asyncio")
            with pytest.raises(InvalidParameters, match=r"job_id='\.\./x'"):
                await coordinator.submit(Invocation("../x", lambda: 1), "asyncio")
            assert len(coordinator.state) == 1

    run(body)


# --- shutdown


class Misbehaves(AsyncioExecutionStrategy):
    async def shutdown(self, grace: timedelta) -> None:
        await super().shutdown(grace)
        raise RuntimeError("cannot end")

    async def detail(self):
        raise OSError("cannot tell")


def test_k5_a_strategy_that_raises_skips_no_other_and_is_told_of(settings):
    async def body():
        modes = {"bad": Misbehaves(settings=settings), "good": AsyncioExecutionStrategy(settings=settings)}
        coordinator = Coordinator(modes)
        jobs = [await coordinator.submit(asyncio.Event().wait, mode) for mode in modes]
        bad, good = (await coordinator.system_detail()).strategies
        assert bad.problem == "cannot tell"
        assert (good.problem, good.jobs.open) == ("", 1)
        for _ in range(2):
            with pytest.raises(ExceptionGroup, match="not all strategies") as raised:
                await coordinator.shutdown()
        assert [str(error) for error in raised.value.exceptions] == ["cannot end"]
        assert [(await job.wait()).state for job in jobs] == ["cancelled", "cancelled"]

    run(body)


def test_k5_a_coordinator_that_never_began_can_be_shut_down_and_takes_nothing_then(settings):
    async def body():
        coordinator = Coordinator({"asyncio": AsyncioExecutionStrategy(settings=settings)})
        await coordinator.shutdown()
        with pytest.raises(CoordinatorClosed):
            await coordinator.submit(lambda: 1, "asyncio")

    run(body)


def test_k5_those_who_wait_for_a_place_are_refused_at_a_shutdown(settings):
    async def body():
        coordinator = Coordinator({"a": AsyncioExecutionStrategy(concurrency=1, max_queued=1, settings=settings)})
        jobs = [await coordinator.submit(asyncio.Event().wait, "a")]
        await asyncio.sleep(0)
        jobs.append(await coordinator.submit(lambda: 1, "a", block=True))
        waiting = asyncio.create_task(coordinator.submit(lambda: 2, "a", block=True))
        await asyncio.sleep(0.05)
        await coordinator.shutdown()
        with pytest.raises(CoordinatorClosed):
            await waiting
        assert [(await job.wait()).state for job in jobs] == ["cancelled", "cancelled"]

    run(body)


def test_k5_a_subscriber_that_is_slow_has_got_everything_when_the_shutdown_is_over(settings):
    async def body():
        told = []

        async def slowly(message):
            await asyncio.sleep(0.01)
            told.append(message)

        async with Coordinator({"asyncio": AsyncioExecutionStrategy(settings=settings)}) as coordinator:
            coordinator.publisher.subscribe(slowly)
            jobs = [await coordinator.submit(lambda: 1, "asyncio") for _ in range(20)]
        ends = [m.stamp.job_id for m in told if isinstance(m, Finished)]
        assert sorted(ends) == sorted(job.id for job in jobs)

    run(body)


def test_a_host_that_fails_costs_the_job_and_not_its_slot(settings, caplog):
    async def body():
        strategy = AsyncioExecutionStrategy(concurrency=1, settings=settings)
        async with Coordinator({"a": strategy}) as coordinator:
            carry_out, strategy._host.carry_out = strategy._host.carry_out, None
            lost = await coordinator.submit(lambda: 1, "a")
            assert (await lost.wait()).state == "lost"
            strategy._host.carry_out = carry_out
            assert await (await coordinator.submit(lambda: 2, "a")).result() == 2

    with caplog.at_level(logging.CRITICAL, "outrider"):
        run(body)


def test_j10_of_many_closed_jobs_the_last_word_is_kept_alone(settings, monkeypatch):
    monkeypatch.setattr("outrider.communicators.memory_records._MOST_WITH_MESSAGES", 2)

    async def body():
        async with Coordinator({"a": AsyncioExecutionStrategy(settings=settings)}) as coordinator:
            jobs = [await coordinator.submit(lambda: 1, "a") for _ in range(4)]
            for job in jobs:
                await job.wait()
            counts = [len([message async for message in job.watch(5)]) for job in jobs]
            assert counts == [2, 2, 5, 5]  # a snapshot comes first

    run(body)


def test_j10_closed_jobs_are_forgotten_after_their_retention(settings):
    short = settings.model_copy(update={"retention": timedelta(seconds=0)})

    async def body():
        async with Coordinator({"a": AsyncioExecutionStrategy(settings=short)}) as coordinator:
            job = await coordinator.submit(lambda: 1, "a", idempotency_key="k")
            await job.wait()
            other = await coordinator.submit(lambda: 2, "a", idempotency_key="k2")
            with pytest.raises(JobNotFound):
                await job.record()
            assert await other.result() == 2
            assert (await coordinator.submit(lambda: 3, "a", idempotency_key="k")).id != job.id

    run(body)


def test_j10_records_that_expire_while_their_ids_still_wait_hold_up_nobody(settings):
    short = settings.model_copy(update={"retention": timedelta(seconds=0)})

    async def body():
        async with Coordinator({"a": AsyncioExecutionStrategy(concurrency=1, settings=short)}) as coordinator:
            go = asyncio.Event()
            first = await coordinator.submit(go.wait, "a")
            await asyncio.sleep(0.01)
            cancelled = await coordinator.submit(lambda: 1, "a")
            await cancelled.cancel()
            following = await coordinator.submit(lambda: 2, "a")  # with this, the record is forgotten
            go.set()
            assert (await first.wait()).state == "succeeded"
            assert await following.result() == 2

    run(body)


def test_q1_free_slots_are_places(settings):
    async def body():
        async with Coordinator({"a": AsyncioExecutionStrategy(concurrency=3, max_queued=1, settings=settings)}) as c:
            for _ in range(4):
                await c.submit(asyncio.Event().wait, "a")
            with pytest.raises(outrider.QueueFull, match="1 jobs wait already, and 1 may"):
                await c.submit(asyncio.Event().wait, "a")
            await asyncio.sleep(0.05)
            with pytest.raises(outrider.QueueFull, match="1 jobs wait already, and 1 may"):
                await c.submit(asyncio.Event().wait, "a")

    run(body)


def test_k3_a_coordinator_stays_on_its_loop_and_a_strategy_with_its_coordinator(settings):
    strategy = AsyncioExecutionStrategy(settings=settings)
    coordinator = Coordinator({"a": strategy})
    with pytest.raises(RuntimeError, match="no running event loop"):
        coordinator.publisher  # noqa: B018 - reading it begins

    async def body():
        assert await (await coordinator.submit(lambda: 1, "a")).result() == 1
        with pytest.raises(RuntimeError, match="serves one coordinator"):
            await Coordinator({"b": strategy}).submit(lambda: 1, "b")

    async def again():
        with pytest.raises(RuntimeError, match="lives on another event loop"):
            await coordinator.submit(lambda: 1, "a")

    run(body)
    run(again)


def test_c10_a_subscriber_that_was_cancelled_within_goes_on(settings):
    async def body():
        told = []

        async def waits_in_vain(message):
            told.append(message)
            vain = asyncio.get_running_loop().create_future()
            vain.cancel()
            await vain

        async with Coordinator({"a": AsyncioExecutionStrategy(settings=settings)}) as coordinator:
            coordinator.publisher.subscribe(waits_in_vain)
            await (await coordinator.submit(lambda: 1, "a")).wait()
        assert len(told) == 4

    run(body)


def test_k5_a_subscriber_may_shut_the_coordinator_down(settings):
    async def body():
        coordinator = Coordinator({"a": AsyncioExecutionStrategy(settings=settings)})
        done, others = asyncio.Event(), []

        async def ends_it(message):
            if isinstance(message, Finished):
                await coordinator.shutdown()
                done.set()

        coordinator.publisher.subscribe(others.append)
        coordinator.publisher.subscribe(ends_it)
        await (await coordinator.submit(lambda: 1, "a")).wait()
        async with asyncio.timeout(2):
            await coordinator.shutdown()
        assert len(others) == 4

    run(body)
