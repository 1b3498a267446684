"""K2: one suite for all strategies. What is promised of a job holds wherever its Executor lives."""

import asyncio
import json
import random
import time
import uuid
from pathlib import Path

import numpy as np
import own_tasks
import pytest
from attempts import runs
from little_tasks import Returns, Shell, ShellWithOutput, Sleep, Sum
from strategies import MODES, Conformance, until

from outrider import (
    CoordinatorClosed,
    Finished,
    InvalidParameters,
    JobFailed,
    JobNotFound,
    Limits,
    Progress,
    QueueFull,
    Report,
    StateChanged,
    UnknownTask,
    WaitTimeout,
)
from outrider.communicators import JobRecord
from outrider.config.errors import IdempotencyKeyReused

#: Each writes the ids of its processes, one per line, to the file $0, and then none of them ends by itself.
STUBBORN = {
    "ignores TERM": 'trap "" TERM; echo $$ >> $0; while :; do sleep 0.1; done',
    "grandchild": "(sleep 300 & echo $! >> $0; sleep 300) & echo $! >> $0; echo $$ >> $0; wait",
    "setsid": 'setsid sh -c "echo \\$\\$ >> $0; exec sleep 300" & echo $$ >> $0; sleep 300',
    "double fork": "(setsid sh -c '(trap : TERM HUP; sleep 300; sleep 300) & echo $! >> $0' &); echo $$ >> $0; sleep 300",
}


@pytest.fixture(scope="module", params=MODES)
def two(request, environment, start_worker):
    """A strategy with two slots."""
    conformance = Conformance(request.param, start_worker, concurrency=2, own_ledger=True)
    yield conformance
    if conformance.worker:
        conformance.worker.stop()


def pids_in(file: Path) -> list[int]:
    return [int(word) for word in file.read_text().split()] if file.exists() else []


# --- success, failure, results


def test_j1_each_of_1000_submits_gets_an_id_of_its_own_before_its_job_has_ended(two):
    async def body(session):
        if session.is_local:
            await session.occupied(Sleep(seconds=60))
        count = 1000 if session.is_local else 200  # the cluster's thousand is tested elsewhere
        jobs = [await session.submit(Returns(value=1)) for _ in range(count)]
        assert len({job.id for job in jobs}) == count
        assert not any(job.ended.done() for job in jobs)

    two.run(body, seconds=120, manned=two.is_local)


def test_j1_an_idempotency_key_gives_the_first_id_again_and_runs_once(two, tmp_path):
    async def body(session):
        key, file = uuid.uuid4().hex, tmp_path / "runs"
        task = Shell(script=f"echo ran >> {file}")
        first = await session.submit(task, idempotency_key=key)
        again = await session.submit(task, idempotency_key=key)
        assert first.id == again.id
        await again.wait(10)
        assert (await session.submit(task, idempotency_key=key)).id == first.id
        assert file.read_text() == "ran\n"
        with pytest.raises(IdempotencyKeyReused, match=first.id):
            await session.submit(Shell(script="true"), idempotency_key=key)

    two.run(body)


def test_j2_what_cannot_be_submitted_raises_and_leaves_no_record(two):
    async def body(session):
        before = (await session.detail()).jobs
        with pytest.raises(UnknownTask, match="did you mean 'shell'"):
            await session.submit("shel")
        with pytest.raises(InvalidParameters, match=r"left='two'.*right: is required"):
            await session.submit("sum", {"left": "two"})
        with pytest.raises(TypeError, match="submit takes a task"):
            await session.submit(7)
        with pytest.raises(KeyError, match="no execution mode is called 'fork'"):
            await session.coordinator.submit(Returns(), "fork")
        assert (await session.detail()).jobs == before
        assert len(session.coordinator.state) == 0

    two.run(body)


@pytest.mark.parametrize("value", [None, 0, "", False, [], {"a": [1.5, None]}])
def test_j8_what_is_nothing_to_others_is_a_result(two, value):
    async def body(session):
        assert await (await session.submit(Returns(value=value))).result(20) == value

    two.run(body)


def test_j8_results_are_typed_and_programs_tasks_and_functions_of_tasks_give_them(two):
    async def body(session):
        assert await (await session.submit(Sum(left=20, right=22))).result(20) == 42
        assert await (await session.submit("sum", {"left": "1", "right": 2})).result(20) == 3
        assert await (await session.submit(own_tasks.add.s(1, right=5))).result(20) == 6
        peaks = await (await session.submit(own_tasks.FindPeaks(count=2))).result(20)
        assert peaks[1].position == 0.5
        assert peaks[1].profile.dtype == np.float32

    two.run(body)


def test_j5_the_record_is_there_from_submission_and_tells_how_the_job_was_run(two):
    async def body(session):
        await session.occupied(Sleep(seconds=60))
        waiting = await session.submit(Sum(left=1, right=2))
        assert (await waiting.record()).state == "queued"
        for job in list(session.coordinator.state.open_jobs)[:2]:
            await session.coordinator.job(job.job_id).cancel()
        await waiting.wait(20)
        record = await waiting.record()
        assert record.spec.task == "sum"
        assert record.spec.parameters == {"left": 1, "right": 2}
        assert record.run.argv[1:] == ("-c", 'echo "$(($1 + $2))"', "sum", "1", "2")
        assert record.attempt == 1
        assert record.worker
        assert record.outcome.exit.exit_code == 0
        assert record.queued_at <= record.claimed_at <= record.started_at <= record.ended_at
        file = record.run.directory.parents[1] / "record.json"
        await until(file.exists, bool, "the record is on disk as well")
        on_disk = JobRecord.model_validate_json(file.read_text())
        assert on_disk.outcome == record.outcome
        assert on_disk.spec == record.spec

    two.run(body)


def test_e1_a_program_that_fails_or_crashes_is_told_with_its_code_or_signal_and_last_lines(two):
    async def body(session):
        ends = {}
        for name, script in {
            "code": "echo no >&2; exit 3",
            "segv": "ulimit -c 0; echo no >&2; kill -SEGV $$",
            "kill": "echo no >&2; kill -KILL $$",
        }.items():
            outcome = await (await session.submit(Shell(script=script))).wait(10)
            ends[name] = (outcome.state, outcome.reason, outcome.exit.exit_code, outcome.exit.signal)
            assert outcome.stderr_tail == ("no",)
        assert ends == {
            "code": ("failed", "exit_code", 3, None),
            "segv": ("failed", "signal", None, "SIGSEGV"),
            "kill": ("failed", "signal", None, "SIGKILL"),
        }
        with pytest.raises(JobFailed, match=r"exit_code.*exit code 3"):
            await (await session.submit(Shell(script="exit 3"))).result(10)
        raised = await (await session.submit(own_tasks.Ends(how="raise"))).wait(20)
        assert (raised.state, raised.reason) == ("failed", "exception")
        assert "ValueError: no frames" in raised.error

    two.run(body)


def test_p7_a_missing_output_fails_and_one_that_is_there_is_recorded(two):
    async def body(session):
        missing = await (await session.submit(ShellWithOutput(script="true"))).wait(10)
        assert (missing.state, missing.reason) == ("failed", "missing_output")
        made = await (await session.submit(ShellWithOutput(script="echo yes > made.txt"))).wait(10)
        assert made.outputs["output"].path.read_text() == "yes\n"
        assert made.result == "yes\n"

    two.run(body)


# --- progress, messages


def test_progress_reports_and_states_reach_subscribers_and_watchers_in_order(two):
    async def body(session):
        job = await session.submit(own_tasks.FindPeaks(count=3))
        seen = [message async for message in job.watch(20)]
        await job.wait(5)
        assert [r.value["position"] for r in seen if isinstance(r, Report)] == [0.0, 0.5, 1.0]
        assert [m.done for m in seen if isinstance(m, Progress)][-1] == 3
        states = [str(m.state) for m in session.of(job, StateChanged)]
        assert states == ["queued", "starting", "running"]
        assert [m.value["position"] for m in session.of(job, Report)] == [0.0, 0.5, 1.0]
        assert session.told[-1] == session.of(job, Finished)[-1]
        numbers = [int(m.stamp.position.partition("-")[0]) for m in session.told if m.stamp.job_id == job.id]
        assert numbers == sorted(numbers)

    two.run(body)


def test_progress_of_a_program_is_seen_while_it_runs(two, tmp_path):
    async def body(session):
        go = tmp_path / "go"
        job = await session.submit(Shell(script=f"echo at 1 of 2 steps; until [ -e {go} ]; do sleep 0.02; done"))
        await until(lambda: session.of(job, Progress), bool, "its progress is told")
        assert (await job.record()).progress.fraction == 0.5
        assert await job.status() == "running"
        go.touch()
        assert (await job.wait(10)).state == "succeeded"

    two.run(body)


def test_c8_a_running_task_is_sent_messages(two):
    async def body(session):
        job = await session.submit(own_tasks.Listens())
        await until(lambda: session.of(job, Report), bool, "it is ready")
        for value in (1, np.array([2, 3]), "stop"):
            await job.send(value)
        assert await job.result(20) == 6

    two.run(body)


@pytest.mark.alone
def test_j9_the_end_is_told_promptly(two):
    async def body(session):
        await (await session.submit(Shell(script="true"))).wait(20)
        late = []
        for _ in range(20):
            job = await session.submit(Shell(script="date +%s.%N > ended; cat ended"))
            await job.wait(10)
            heard = time.time()
            log = (await job.record()).run.directory.parent / "stdout.log"
            late.append(heard - float(log.read_text()))
        assert sorted(late)[18] < 0.25

    two.run(body)


def test_j7_when_the_wait_is_over_status_and_system_detail_show_it(two):
    async def body(session):
        before = (await session.detail()).jobs.succeeded
        for n in range(1, 11):
            job = await session.submit(Returns(value=n))
            await job.wait(20)
            assert await job.status() == "succeeded"
            assert not session.coordinator.state[job.id].is_open
            assert (await session.detail()).jobs.succeeded == before + n
        begun = time.monotonic()
        assert (await session.coordinator.job(job.id).wait()).state == "succeeded"
        assert time.monotonic() - begun < 0.1

    two.run(body)


# --- cancel, time-outs, pause


def test_x1_a_queued_job_that_is_cancelled_never_starts(two, tmp_path):
    async def body(session):
        occupied = await session.occupied(Sleep(seconds=60))
        file = tmp_path / "started"
        job = await session.submit(Shell(script=f"touch {file}"))
        begun = time.monotonic()
        assert await job.cancel() == "cancelled"
        assert (await job.wait(5)).state == "cancelled"
        assert time.monotonic() - begun < 1
        for other in occupied:
            await other.cancel()
        assert await (await session.submit(Returns(value="next"))).result(10) == "next"
        assert not file.exists()
        assert len(session.of(job, Finished)) == 1

    two.run(body)


@pytest.mark.alone
def test_x2_a_cancelled_job_leaves_no_descendant_and_its_slot_is_free(two, tmp_path):
    async def cancelled(session, kind):
        file = tmp_path / kind.replace(" ", "-")
        script = STUBBORN[kind].replace("$0", str(file))
        job = await session.running(await session.submit(Shell(script=script)))
        count = len(STUBBORN[kind].split("echo")) - 1
        pids = await until(lambda: pids_in(file), lambda found: len(found) >= count, f"{kind}: it has written its ids")
        begun = time.monotonic()
        await job.cancel()
        assert (await job.wait(10)).state == "cancelled"
        assert time.monotonic() - begun < 1 + 1 + 0.5, kind  # grace + 1 s, and slack for a noisy machine
        assert [pid for pid in pids if runs(pid)] == [], kind

    async def body(session):
        for pair in (("ignores TERM", "grandchild"), ("setsid", "double fork")):
            await asyncio.gather(*(cancelled(session, kind) for kind in pair))
        begun = time.monotonic()
        await (await session.submit(Sleep(seconds=0))).result(10)
        assert time.monotonic() - begun < 1.5

    two.run(body)


def test_x3_cancel_of_a_closed_job_changes_nothing_and_of_an_unknown_one_raises(two):
    async def body(session):
        job = await session.submit(Returns(value=1))
        await job.wait(20)
        assert await job.cancel() == "succeeded"
        assert (await job.record()).outcome.state == "succeeded"
        running = await session.running(await session.submit(Sleep(seconds=60)))
        await running.cancel()
        await running.cancel()
        assert (await running.wait(10)).state == "cancelled"
        assert await session.ends() == {job.id: ["succeeded"], running.id: ["cancelled"]}
        with pytest.raises(JobNotFound):
            session.coordinator.job("no-such-job")

    two.run(body)


def test_j6_a_cancel_at_the_natural_end_gives_one_end(two):
    async def body(session):
        chances, jobs = random.Random(6), {}

        async def race():
            job = await session.running(await session.submit(Sleep(seconds=0.06)))
            await asyncio.sleep(0.01 + chances.random() * 0.1)
            await job.cancel()
            jobs[job.id] = [(await job.wait(10)).state]
            assert [(await job.record()).state] == jobs[job.id]

        for _ in range(50 if session.is_local else 25):
            await asyncio.gather(race(), race())
        assert await session.ends() == jobs
        assert {state for (state,) in jobs.values()} == {"cancelled", "succeeded"}

    two.run(body, seconds=120)


@pytest.mark.alone
def test_x4_a_time_out_is_enforced_on_a_program_that_ignores_signals(two, tmp_path):
    async def body(session):
        file = tmp_path / "pids"
        begun = time.monotonic()
        task = Shell(script=STUBBORN["ignores TERM"].replace("$0", str(file)))
        job = await session.submit(task, limits=Limits(run="1s"))
        outcome = await job.wait(20)
        assert outcome.state == "timed_out"
        assert time.monotonic() - begun < 1 + 1 + 2
        assert [pid for pid in pids_in(file) if runs(pid)] == []

    two.run(body)


def test_x4_waiting_in_the_queue_does_not_count_for_the_run_but_has_a_limit_of_its_own(two):
    async def body(session):
        occupied = await session.occupied(Sleep(seconds=60))
        patient = await session.submit(Sleep(seconds=0.3), limits=Limits(run="1s"))
        hasty = await session.submit(Sleep(seconds=0), limits=Limits(queue="1s"))
        assert (await hasty.wait(20)).state == "timed_out"
        assert (await hasty.record()).attempt == 0
        for job in occupied:
            await job.cancel()
        assert (await patient.wait(10)).state == "succeeded"

    two.run(body)


def test_x5_pause_stops_the_program_and_its_clock(two, tmp_path):
    async def body(session):
        ticks = tmp_path / "ticks"
        script = f"i=0; while [ $i -lt 40 ]; do echo t >> {ticks}; sleep 0.05; i=$((i+1)); done"
        job = await session.running(await session.submit(Shell(script=script), limits=Limits(run="4s")))
        await until(ticks.exists, bool, "it works")
        await job.pause()
        await until(job.status, lambda state: state == "paused", "it is paused")
        size = ticks.stat().st_size
        await asyncio.sleep(3)  # longer than what is left of the limit: a clock that went on would end the job
        assert ticks.stat().st_size == size
        await job.resume()
        assert (await job.wait(20)).state == "succeeded"

    two.run(body)


def test_x7_what_happens_to_one_of_two_concurrent_jobs_is_no_concern_of_the_other(two):
    async def body(session):
        steady = await session.running(await session.submit(Sleep(seconds=2)))
        pid = (await steady.record()).run.pid
        ends = []
        for script, options in (("kill -SEGV $$", {}), ("exit 3", {}), ("sleep 60", {"limits": Limits(run="0.3s")})):
            ends.append((await (await session.submit(Shell(script=script), **options)).wait(10)).state)
        cancelled = await session.running(await session.submit(Sleep(seconds=60)))
        await cancelled.cancel()
        ends.append((await cancelled.wait(10)).state)
        assert ends == ["failed", "failed", "timed_out", "cancelled"]
        assert (await steady.wait(10)).state == "succeeded"
        assert (await steady.record()).run.pid == pid

    two.run(body)


# --- bounds


def test_q1_exactly_as_many_are_accepted_as_may_wait(two):
    async def body(session):
        if session.is_local:
            await session.occupied(Sleep(seconds=60))
        begun = time.monotonic()
        submits = [session.submit(Returns(value=n)) for n in range(50)]
        answers = await asyncio.gather(*submits, return_exceptions=True)
        accepted = [answer for answer in answers if not isinstance(answer, Exception)]
        assert len(accepted) == 5
        assert {type(answer) for answer in answers if isinstance(answer, Exception)} == {QueueFull}
        assert time.monotonic() - begun < 5

    two.run(body, max_queued=5, manned=two.is_local)


def test_q1_a_submit_that_may_wait_gets_the_next_place_or_raises_in_time(two):
    async def body(session):
        if session.is_local:
            await session.occupied(Sleep(seconds=60))
        first, _ = [await session.submit(Returns(value=n)) for n in range(2)]
        begun = time.monotonic()
        with pytest.raises(QueueFull, match="2 jobs wait already"):
            await session.submit(Returns(value=3), block=True, timeout=0.5)
        assert 0.5 <= time.monotonic() - begun < 2
        waiting = asyncio.create_task(session.submit(Returns(value=4), block=True, timeout=20))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await first.cancel()
        assert await (await waiting).status() == "queued"

    two.run(body, max_queued=2, manned=two.is_local)


def test_q2_while_the_queue_is_full_all_questions_are_answered(two):
    async def body(session):
        if session.is_local:
            await session.occupied(Sleep(seconds=60))
        jobs = [await session.submit(Returns(value=n)) for n in range(3)]
        waiting = [asyncio.create_task(session.submit(Returns(value=n), block=True)) for n in range(40)]
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        assert await jobs[0].status() == "queued"
        detail = await session.detail()
        assert sum(queue.queued for queue in detail.queues) == 3
        assert {queue.limit for queue in detail.queues} == {3}
        assert await jobs[1].cancel() == "cancelled"
        assert time.monotonic() - begun < 1
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    two.run(body, max_queued=3, manned=two.is_local)


def test_q3_whatever_ends_jobs_no_place_stays_taken(two):
    async def body(session):
        chances = random.Random(3)
        kinds = ("true", "exit 3", "kill -KILL $$", "sleep 30", "sleep 31")
        jobs = []
        for kind in chances.choices(kinds, weights=(6, 2, 2, 1, 1), k=150 if session.is_local else 80):
            limits = Limits(run="0.2s") if kind == "sleep 31" else None
            jobs.append((kind, await session.submit(Shell(script=kind), limits=limits)))
        for kind, job in jobs:
            if kind == "sleep 30":
                await job.cancel()
        ends = {kind: set() for kind in kinds}
        for kind, job in jobs:
            ends[kind].add((await job.wait(60)).state)
        assert ends == {
            "true": {"succeeded"},
            "exit 3": {"failed"},
            "kill -KILL $$": {"failed"},
            "sleep 30": {"cancelled"},
            "sleep 31": {"timed_out"},
        }
        await until(session.detail, lambda detail: detail.jobs.open == 0, "no job is open")
        detail = await until(
            session.detail, lambda found: not any(w.running for w in found.workers), "no slot is taken"
        )
        assert sum(queue.queued for queue in detail.queues) == 0
        assert session.coordinator.state.open_jobs == ()

    two.run(body, seconds=120)


@pytest.mark.alone
def test_q4_never_more_programs_at_once_than_slots_and_none_stands_idle(two):
    async def body(session):
        seconds = 1.0 + random.random() / 1000  # tells our programs from all others
        for job in [await session.submit(Sleep(seconds=0.5)) for _ in range(session.concurrency)]:
            await job.wait(20)  # by then all slots are warm
        begun = time.monotonic()
        jobs = [await session.submit(Sleep(seconds=seconds)) for _ in range(3 * session.concurrency)]
        samples = []
        while session.coordinator.state.open_jobs:
            samples.append(await asyncio.to_thread(running_sleeps, seconds))
            await asyncio.sleep(0.02)
        assert max(samples) == session.concurrency
        assert {(await job.wait()).state for job in jobs} == {"succeeded"}
        assert time.monotonic() - begun < 3 * seconds * 1.2

    two.run(body)


def running_sleeps(seconds: float) -> int:
    wanted, found = f"sleep\0{seconds}\0".encode(), 0
    for entry in Path("/proc").iterdir():
        try:
            found += entry.name.isdigit() and (entry / "cmdline").read_bytes().endswith(wanted)
        except OSError:
            continue
    return found


# --- ids, shutdown, snapshots


def test_j4_a_wait_that_is_too_short_says_so_and_the_job_goes_on(two):
    async def body(session):
        job = await session.running(await session.submit(Sleep(seconds=1)))
        with pytest.raises(WaitTimeout, match=r"has not ended after 0\.1 s"):
            await job.wait(0.1)
        assert (await job.wait(10)).state == "succeeded"

    two.run(body)


def test_k4_a_snapshot_cannot_be_changed_and_is_json(two):
    async def body(session):
        await session.occupied(Sleep(seconds=60))
        await session.submit(Returns(value=1))
        detail = await session.coordinator.system_detail()
        assert detail.accepting
        (strategy,) = detail.strategies
        assert (strategy.mode, strategy.jobs.running, strategy.jobs.queued, strategy.slots) == (session.mode, 2, 1, 2)
        assert sum(worker.running for worker in strategy.workers) == 2
        assert json.loads(detail.model_dump_json())["strategies"][0]["jobs"]["running"] == 2
        with pytest.raises(ValueError, match="frozen"):
            strategy.jobs.running = 0

    two.run(body)


def test_k5_shutdown_lets_jobs_end_within_the_grace_cancels_the_rest_and_loses_nothing(two, tmp_path):
    async def body(session):
        may_end = tmp_path / "go"
        ending = await session.running(
            await session.submit(Shell(script=f"until [ -e {may_end} ]; do sleep 0.05; done"))
        )
        endless = await session.running(await session.submit(Sleep(seconds=60)))
        waiting = await session.submit(Returns(value=1))
        closing = asyncio.create_task(session.coordinator.shutdown(3))
        await asyncio.sleep(0)
        with pytest.raises(CoordinatorClosed):
            await session.submit(Returns(value=2))
        again = asyncio.create_task(session.coordinator.shutdown(0))
        may_end.touch()
        await asyncio.gather(closing, again)
        assert await session.ends() == {
            ending.id: ["succeeded"],
            endless.id: ["cancelled"],
            waiting.id: ["cancelled"],
        }
        assert {entry.outcome.state for entry in session.coordinator.state.closed_jobs} == {"succeeded", "cancelled"}
        assert session.coordinator.state.open_jobs == ()
        assert not (await session.coordinator.system_detail()).accepting

    two.run(body)


def test_r2_retries_are_attempts_of_one_job(two, tmp_path):
    async def body(session):
        from outrider import RetryPolicy

        file = tmp_path / "tries"
        script = f"echo x >> {file}; [ $(wc -l < {file}) -ge 3 ] || exit 75"
        policy = RetryPolicy(exit_codes={75}, max_attempts=3, backoff="0.1s")
        job = await session.submit(Shell(script=script), retry=policy)
        assert (await job.wait(30)).state == "succeeded"
        record = await job.record()
        assert (record.attempt, sorted(record.attempts)) == (3, [1, 2])
        assert await session.ends() == {job.id: ["succeeded"]}

    two.run(body)


def test_t2_tasklets_go_around_a_task(two):
    async def body(session):
        job = await session.submit(Shell(script="echo 42 is the answer"), after=["grep_text ../stdout.log answer"])
        outcome = await job.wait(20)
        assert outcome.state == "succeeded", outcome.message
        (run,) = (await job.record()).tasklets
        assert (run.tasklet, run.state) == ("grep_text", "succeeded")

    two.run(body)
