"""R2, K2: what becomes of jobs whose process, or the process behind that, is lost."""

import asyncio
import os
import signal
import time
from functools import partial
from pathlib import Path

import plain_functions as functions
import pytest
from attempts import runs
from little_tasks import Alone, Shell, Sleep
from strategies import Conformance, until

from outrider import RetryPolicy


@pytest.fixture
def two(environment):
    return Conformance("process", None, concurrency=2)


def child_of(record):
    return int(record.worker.partition("@")[0])


def server_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_r2_a_program_whose_process_is_killed_runs_again_and_no_two_at_a_time(two, tmp_path):
    async def body(session):
        starts, go = tmp_path / "starts", tmp_path / "go"
        script = f"echo $$ >> {starts}; trap '' TERM; until [ -e {go} ]; do sleep 0.02; done; echo done"
        job = await session.submit(Shell(script=script))
        (first,) = await until(lambda: _pids(starts), lambda found: len(found) == 1, "it runs")
        os.kill(child_of(await job.record()), signal.SIGKILL)
        _, second = await until(lambda: _pids(starts), lambda found: len(found) == 2, "it runs again")
        assert not runs(first)
        assert runs(second)
        go.touch()
        assert (await job.wait(10)).state == "succeeded"
        record = await job.record()
        assert (record.attempt, record.attempts[1].state) == (2, "lost")
        assert "was killed by SIGKILL" in record.attempts[1].error
        assert await session.ends() == {job.id: ["succeeded"]}

    two.run(body)


def _pids(file):
    return [int(word) for word in file.read_text().split()] if file.exists() else []


def test_r2_after_the_crash_limit_a_job_has_failed_and_one_that_may_not_run_again_is_lost(two):
    async def body(session):
        job = await session.submit(Sleep(seconds=60))
        for attempt in (1, 2, 3):
            record = await until(job.record, lambda r, n=attempt: r.attempt == n and r.state == "running", "it runs")
            os.kill(child_of(record), signal.SIGKILL)
        outcome = await job.wait(10)
        assert (outcome.state, outcome.reason) == ("failed", "crash_limit")
        assert not runs(record.run.pid)
        once = await session.running(await session.submit(Alone(seconds=60), retry=RetryPolicy(on_loss=False)))
        os.kill(child_of(await once.record()), signal.SIGKILL)
        assert (await once.wait(10)).state == "lost"

    two.run(body)


def test_a_process_that_is_killed_between_jobs_is_replaced(two):
    async def body(session):
        first = await (await session.submit(functions.pid)).result(20)
        os.kill(first, signal.SIGKILL)
        await until(Path(f"/proc/{first}").exists, lambda found: not found, "it is gone, and collected")
        results = [await (await session.submit(functions.pid)).result(20) for _ in range(3)]
        assert first not in results

    two.run(body)


def test_the_process_that_forks_others_may_be_killed_as_well(two):
    async def body(session):
        pid = await (await session.submit(functions.pid)).result(20)
        running = await session.running(await session.submit(partial(functions.sleeps, 1)))
        os.kill(server_of(pid), signal.SIGKILL)
        assert (await running.wait(10)).state == "succeeded"
        crashed = await session.submit(partial(functions.ends, "kill"))
        assert (await crashed.wait(20)).state == "failed"
        again = [await (await session.submit(functions.pid)).result(20) for _ in range(2)]
        assert all(map(runs, again))

    two.run(body)


def test_x6_a_shutdown_leaves_no_process(environment):
    found = []

    async def body(session):
        found.append(await (await session.submit(functions.pid)).result(20))
        found.append(server_of(found[0]))
        found.append((await (await session.running(await session.submit(Sleep(seconds=60)))).record()).run.pid)

    Conformance("process", None, concurrency=2).run(body)
    assert [pid for pid in found if runs(pid)] == []


def test_no_descriptor_is_left_of_coordinators_and_jobs(environment):
    def count():
        return len(os.listdir("/proc/self/fd"))

    async def body(session):
        jobs = [await session.submit(function) for function in [lambda: 1] * 20 + [Shell(script="true")]]
        await asyncio.gather(*(job.wait(30) for job in jobs))

    for mode in ("asyncio", "thread", "process"):
        Conformance(mode, None, concurrency=2).run(body)  # what is opened once and kept
        before = count()
        for _ in range(2):
            Conformance(mode, None, concurrency=2).run(body)
        deadline = time.monotonic() + 5
        while count() > before and time.monotonic() < deadline:
            time.sleep(0.05)
        assert count() <= before, mode


def test_s_what_a_function_starts_has_no_descriptor_of_ours(two):
    async def body(session):
        held = await (await session.submit(partial(functions.descriptors_of, "shell"))).result(20)
        assert held == ["0", "1", "2"]

    two.run(body)


def test_x2_what_a_function_has_forked_ends_with_it_and_holds_up_no_end(two, tmp_path):
    async def body(session):
        file = tmp_path / "fork"
        for end in ("cancel", "kill"):
            job = await session.submit(partial(functions.forks, str(file)))
            (fork,) = await until(lambda: _pids(file), lambda found: len(found) == 1, "it has forked")
            file.unlink()
            if end == "cancel":
                await job.cancel()
            else:
                os.kill(child_of(await job.record()), signal.SIGKILL)
            assert (await job.wait(5)).state == {"cancel": "cancelled", "kill": "failed"}[end]
            await until(partial(runs, fork), lambda found: not found, f"{end}: the fork is gone", seconds=2)

    two.run(body)


@pytest.mark.parametrize("how", ["default", "ignored", "blocked"])
def test_x2_a_function_may_do_anything_to_signals_without_harm_to_the_next(environment, how):
    async def body(session):
        await (await session.submit(partial(functions.spoils_signals, how))).result(20)
        job = await session.running(await session.submit(functions.sleeps))
        begun = time.monotonic()
        await job.cancel()
        outcome = await job.wait(10)
        assert (outcome.state, "killed" in outcome.error) == ("cancelled", False)
        assert time.monotonic() - begun < 1

    Conformance("process", None, concurrency=1).run(body)


def test_x2_the_loss_of_what_forks_keeps_nobody_from_being_killed(environment):
    async def body(session):
        pid = await (await session.submit(functions.pid)).result(20)
        job = await session.running(await session.submit(functions.holds_the_interpreter))
        os.kill(server_of(pid), signal.SIGKILL)
        await until(Path(f"/proc/{server_of(pid)}").exists, bool, "it has another parent")
        await job.cancel()
        assert (await job.wait(5)).state == "cancelled"
        assert not runs(pid)

    Conformance("process", None, concurrency=1).run(body)


def test_r2_a_process_that_dies_after_it_has_released_its_job_does_not_keep_it(two):
    async def body(session):
        coordinator = session.coordinator

        def kill(message):
            if message.kind == "state" and message.state == "queued" and message.stamp.attempt == 1:
                for worker in coordinator._strategies["process"]._host._busy:
                    worker.kill()

        coordinator.handle_item, handle = lambda m: (kill(m), handle(m)), coordinator.handle_item
        policy = RetryPolicy(exit_codes={3}, max_attempts=2, backoff="0s")
        job = await session.submit(Shell(script="exit 3"), retry=policy)
        assert (await job.wait(10)).state == "failed"
        assert (await job.record()).attempt == 2

    two.run(body)


def test_an_idle_process_is_heard_and_one_that_was_killed_is_no_worker(environment):
    async def body(session):
        pid = await (await session.submit(functions.pid)).result(20)
        await asyncio.sleep(1.2)
        (worker,) = (await session.detail()).workers
        assert (worker.pid, worker.heartbeat_age_seconds < 1) == (pid, True)
        os.kill(pid, signal.SIGKILL)
        await until(session.detail, lambda found: not found.workers, "it is no worker any more")

    Conformance("process", None, concurrency=1).run(body)
