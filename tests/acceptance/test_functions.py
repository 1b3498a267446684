"""Plain functions as jobs, in each strategy that takes them: what is promised of programs, as far as a function lets us."""

import asyncio
import os
import signal
import threading
import time
from functools import partial

import numpy as np
import plain_functions as functions
import pytest
from attempts import runs
from little_tasks import Sleep
from strategies import LOCAL, Conformance, until

from outrider import (
    CannotTravel,
    Finished,
    Heartbeat,
    InvalidParameters,
    JobState,
    Limits,
    LogLines,
    Progress,
    Report,
    RetryPolicy,
    StoredFile,
)
from outrider.config.errors import IllegalTransition

#: How long a strategy may take beyond the grace of 1 s, on a noisy machine.
SLACK = 1.5


@pytest.fixture(scope="module", params=LOCAL)
def two(request, environment):
    return Conformance(request.param, None, concurrency=2)


@pytest.mark.parametrize(
    ("function", "result"),
    [
        (partial(functions.slowly_doubled, 21), 42),
        (lambda: 6 * 7, 42),
        (functions.Adds(40, 2), 42),
        (lambda: None, None),
        (list, []),
        (lambda: {"a": (1, 2.5, None)}, {"a": [1, 2.5, None]}),
        (lambda: functions.slowly_doubled(4), 8),
    ],
)
def test_functions_coroutine_functions_and_objects_give_results(two, function, result):
    async def body(session):
        job = await session.submit(function)
        assert await job.result(20) == result
        record = await job.record()
        assert record.spec.parameters == {}
        assert record.queued_at <= record.claimed_at <= record.started_at <= record.ended_at

    two.run(body)


def test_j8_results_have_the_type_that_the_function_promises_and_are_copies(two):
    async def body(session):
        found = await (await session.submit(functions.reading)).result(20)
        assert type(found) is functions.Reading
        assert found.values.tolist() == [0, 1, 2]
        array = np.arange(100_000)
        large = await (await session.submit(lambda: array)).result(20)
        assert np.array_equal(large, array)
        assert large is not array

    two.run(body)


def test_what_a_function_says_reaches_subscribers_in_order(two):
    async def body(session):
        job = await session.submit(partial(functions.says, 3))
        assert await job.result(20) == "said"
        assert [m.value["number"] for m in session.of(job, Report)] == [0, 1, 2]
        assert [m.done for m in session.of(job, Progress)][-1] == 3
        watched = [m async for m in job.watch(10) if isinstance(m, Report)]
        assert watched[2].value["array"].tolist() == [2, 2]
        (kept,) = (await job.record()).outcome.artifacts.items()
        assert kept[0] == "kept.txt"
        assert StoredFile(kept[1], session.coordinator._strategies[session.mode].store, "kept").read() == b"kept\n"
        job = await session.submit(functions.says_on_a_loop)
        assert await job.result(20) == "said"
        assert [m.value for m in session.of(job, Report)] == ["half"]

    two.run(body)


def test_reports_are_not_lost_however_many_and_a_flood_of_progress_holds_up_nobody(two):
    async def body(session):
        job = await session.submit(flood)
        assert await job.result(60) == 3000
        assert [m.value for m in session.of(job, Report)] == list(range(3000))
        assert len(session.of(job, Progress)) <= 3001  # of 60,000: the newest before each report, and the last

    two.run(body)


def flood() -> int:
    from outrider import current_channel

    for number in range(3000):
        current_channel().report(number)
        for step in range(20):
            current_channel().progress(step, 20)
    return 3000


def test_c8_a_function_is_sent_messages(two):
    async def body(session):
        job = await session.submit(functions.listens)
        await until(lambda: session.of(job, Report), bool, "it is ready")
        for value in ("one", {"n": np.arange(2)}, "end"):
            await job.send(value)
        first, second = await job.result(20)
        assert first == "one"
        assert second["n"].tolist() == [0, 1]

    two.run(body)


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("raise", "ends raised ValueError: no frames"),
        ("exit", "ends raised SystemExit: 7"),
        ("interrupt", "ends raised KeyboardInterrupt"),
        ("bad words", "ends raised SaysNothing"),
    ],
)
def test_e2_whatever_a_function_raises_is_its_end_and_no_one_elses(two, how, error):
    async def body(session):
        other = await session.submit(partial(functions.sleeps, 0.5))
        outcome = await (await session.submit(partial(functions.ends, how))).wait(20)
        assert (outcome.state, outcome.reason) == ("failed", "exception")
        assert outcome.error.startswith(error)
        assert how == "bad words" or "plain_functions.py" in "\n".join(outcome.stderr_tail)
        assert (await other.wait(20)).state == "succeeded"

    two.run(body)


@pytest.mark.parametrize("function", [partial(functions.ends, "bad result"), functions.promises_a_number])
def test_k3_a_result_that_cannot_travel_or_is_of_another_type_fails_the_job(two, function):
    async def body(session):
        outcome = await (await session.submit(function)).wait(20)
        assert (outcome.state, outcome.reason) == ("failed", "result")
        assert "ended well, but" in outcome.error

    two.run(body)


@pytest.mark.alone
def test_x2_a_function_that_is_cancelled_ends_and_its_job_in_any_case(two):
    async def body(session):
        for function in (functions.sleeps_on_a_loop, functions.computes, functions.sleeps):
            job = await session.running(await session.submit(function))
            begun = time.monotonic()
            await job.cancel()
            outcome = await job.wait(10)
            assert outcome.state == "cancelled"
            assert time.monotonic() - begun < 1 + SLACK
            assert (await session.ends())[job.id] == ["cancelled"]
            lingers = function is functions.sleeps and session.mode != "process"  # a thread that waits for the system
            assert ("takes its slot until it does" in outcome.error) is lingers
            assert lingers or time.monotonic() - begun < 1
            assert await (await session.submit(lambda: "next")).result(10) == "next"

    two.run(body)


@pytest.mark.alone
def test_x4_a_function_that_runs_too_long_is_timed_out(two):
    async def body(session):
        begun = time.monotonic()
        limits = Limits(run="0.5s")
        for job in [await session.submit(f, limits=limits) for f in (functions.sleeps_on_a_loop, functions.computes)]:
            outcome = await job.wait(10)
            assert outcome.state == "timed_out"
            assert "limit of 0.5 s" in outcome.error
        assert time.monotonic() - begun < 0.5 + 1 + SLACK

    two.run(body)


@pytest.mark.alone
def test_x2_a_process_ends_with_a_function_that_will_not(environment):
    async def stopped(session, function):
        timed = await session.submit(function, limits=Limits(run="0.3s"))
        job = await session.running(await session.submit(function))
        pid = (await job.record()).run.pid
        begun = time.monotonic()
        await job.cancel()
        assert (await job.wait(10)).state == "cancelled", function
        assert time.monotonic() - begun < 1 + SLACK, function
        await until(lambda: runs(pid), lambda found: not found, "its process is gone", seconds=1)
        assert (await timed.wait(10)).state == "timed_out", function

    async def body(session):
        other = await session.running(await session.submit(Sleep(seconds=4)))
        will_not = (functions.insists, functions.insists_on_a_loop, functions.holds_the_interpreter)
        await asyncio.gather(*(stopped(session, function) for function in will_not))
        begun = time.monotonic()
        assert await (await session.submit(lambda: "next")).result(10) == "next"
        assert time.monotonic() - begun < 1
        assert (await other.wait(10)).state == "succeeded"

    Conformance("process", None, concurrency=7).run(body)


@pytest.mark.parametrize(
    ("how", "reason", "ended"),
    [("crash", "signal", "SIGSEGV"), ("kill", "signal", "SIGKILL"), ("leave", "exit_code", 3)],
)
def test_e1_a_function_that_takes_its_process_along_fails_alone(environment, how, reason, ended):
    async def body(session):
        other = await session.running(await session.submit(partial(functions.sleeps, 2)))
        job = await session.submit(partial(functions.ends, how))
        outcome = await job.wait(10)
        assert (outcome.state, outcome.reason) == ("failed", reason)
        assert (outcome.exit.signal or outcome.exit.exit_code) == ended
        assert (await other.wait(10)).state == "succeeded"
        assert await (await session.submit(lambda: "next")).result(10) == "next"
        assert (await session.ends())[job.id] == ["failed"]

    Conformance("process", None, concurrency=2).run(body)


@pytest.mark.alone
def test_x2_what_a_function_has_started_ends_with_it_in_a_process(environment, tmp_path):
    async def body(session):
        file = tmp_path / "pids"
        job = await session.submit(partial(functions.starts_others, str(file)))
        found = await until(lambda: file.exists() and file.read_text().split(), lambda w: w and len(w) == 2, "it began")
        await job.cancel()
        assert (await job.wait(10)).state == "cancelled"
        await until(lambda: runs(int(found[0])), lambda alive: not alive, "nothing of it is left", seconds=2)

    Conformance("process", None, concurrency=1).run(body)


def test_a_function_that_asks_is_not_interrupted(two, tmp_path):
    async def body(session):
        file = tmp_path / "looks"
        job = await session.submit(partial(functions.looks, str(file)))
        await until(file.exists, bool, "it looks")
        await job.cancel()
        assert (await job.wait(10)).state == "cancelled"
        assert file.read_text() == "ended by itself"

    two.run(body)


def test_q4_a_function_that_was_given_up_keeps_its_slot(environment):
    async def body(session):
        job = await session.running(await session.submit(partial(functions.insists, 3)))
        await job.cancel()
        assert (await job.wait(10)).state == "cancelled"
        following = await session.submit(threading.active_count)
        (worker,) = (await session.detail()).workers
        assert (worker.running, await following.status()) == (1, JobState.QUEUED)
        assert await following.result(10) > 0

    Conformance("thread", None, concurrency=1).run(body)


def test_x5_a_function_cannot_be_paused(two):
    async def body(session):
        job = await session.running(await session.submit(partial(functions.sleeps, 0.5)))
        with pytest.raises(IllegalTransition, match="is running and cannot become paused"):
            await job.pause()
        assert (await job.wait(10)).state == "succeeded"

    two.run(body)


def test_e3_a_silent_function_still_shows_signs_of_life(two):
    async def body(session):
        job = await session.submit(partial(functions.sleeps, 1.7))
        await job.wait(10)
        assert len(session.of(job, Heartbeat)) in (2, 3, 4)
        assert session.of(job, LogLines) == []

    two.run(body)


def test_what_a_function_cannot_be_asked_for_is_refused(two):
    async def body(session):
        with pytest.raises(InvalidParameters, match="limits: a plain function takes `run` and `queue`"):
            await session.submit(functions.pid, limits=Limits(memory="1GiB"))
        with pytest.raises(InvalidParameters, match="tasklets go around tasks"):
            await session.submit(functions.pid, after=["checksum x"])
        with pytest.raises(InvalidParameters, match=r"functools\.partial"):
            await session.submit(functions.pid, {"a": 1})
        assert len(session.coordinator.state) == 0

    two.run(body)


def test_where_functions_run(environment):
    places = {}
    for mode in LOCAL:

        async def body(session, mode=mode):
            places[mode] = [await (await session.submit(f)).result(20) for f in (functions.pid, threading.get_ident)]
            name = await (await session.submit(partial(functions.variable, "OUTRIDER_TEST_X", "1"))).result(20)
            assert name is None

        Conformance(mode, None, concurrency=1).run(body)
        if mode == "process":
            assert "OUTRIDER_TEST_X" not in os.environ
        os.environ.pop("OUTRIDER_TEST_X", None)
    assert places["asyncio"][0] == places["thread"][0] == os.getpid()
    assert places["process"][0] != os.getpid()
    assert threading.get_ident() not in (places["asyncio"][1], places["thread"][1])


def test_p6_jobs_in_processes_see_what_was_before_and_not_each_others_closures(environment):
    async def body(session):
        numbers = [7]
        job = await session.submit(lambda: numbers[0])
        numbers[0] = 8
        assert await job.result(20) in (7, 8)
        lock = threading.Lock()
        with pytest.raises(CannotTravel, match="cannot be sent: what it holds cannot be pickled"):
            await session.submit(lambda: lock)

    Conformance("process", None, concurrency=1).run(body)


def test_decision_10_the_cluster_takes_no_functions(environment, redis_server):
    async def body(session):
        with pytest.raises(CannotTravel, match=r"pid cannot be sent: workers carry out tasks alone"):
            await session.submit(functions.pid)
        assert (await session.detail()).jobs.open == 0

    cluster = Conformance.__new__(Conformance)
    cluster.mode, cluster.is_local, cluster.concurrency, cluster.queue = "celery", False, 1, "nobody"
    cluster.run(body, manned=False)


@pytest.mark.alone
@pytest.mark.parametrize("mode", LOCAL)
def test_x6_when_the_process_that_coordinates_is_killed_nothing_of_it_goes_on(environment, mode, tmp_path):
    import subprocess
    import sys

    file = tmp_path / "pids"
    code = f"""
import asyncio, outrider
from functools import partial
from strategies import LOCAL
import plain_functions
from little_tasks import Shell

async def main():
    async with outrider.Coordinator({{"m": LOCAL["{mode}"](concurrency=2)}}) as coordinator:
        await coordinator.submit(Shell(script="echo $$ >> {file}; setsid sh -c 'echo $$ >> {file}; sleep 60' & sleep 60"), "m")
        if "{mode}" == "process":
            await coordinator.submit(partial(plain_functions.starts_others, "{file}.more"), "m")
        await asyncio.sleep(60)

asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", code])

    def pids():
        files = [file, tmp_path / "pids.more"] if mode == "process" else [file]
        found = [int(word) for path in files if path.exists() for word in path.read_text().split()]
        return found if len(found) == 2 * len(files) else []

    from support import eventually

    found = eventually(pids, "all of them run", 20)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    eventually(lambda: not any(map(runs, found)), "none of them runs", 10)


def test_j6_finished_is_said_once_and_last(two):
    async def body(session):
        jobs = [await session.submit(lambda: 1) for _ in range(200)]
        await asyncio.gather(*(job.wait(30) for job in jobs))
        assert await session.ends() == {job.id: ["succeeded"] for job in jobs}
        for job in jobs:
            kinds = [m.kind for m in session.told if m.stamp.job_id == job.id]
            assert kinds == ["state", "state", "state", "finished"]
            assert session.of(job, Finished)[0].outcome.result == 1

    two.run(body)


@pytest.mark.alone
def test_x2_a_function_may_be_interrupted_while_it_says_something(two):
    async def body(session):
        for n in range(30):
            job = await session.running(await session.submit(chatters))
            await asyncio.sleep(0.003 + 0.0007 * (n % 13))
            await job.cancel()
            assert (await job.wait(5)).state == "cancelled"

    two.run(body)


def chatters() -> None:
    from outrider import current_channel

    for number in range(10**9):
        current_channel().progress(number)
        current_channel().report(number)


def test_progress_that_comes_fast_is_told_although_nothing_follows(two):
    async def body(session):
        job = await session.submit(partial(functions.hurries_and_waits, 20))
        await until(lambda: [m.done for m in session.of(job, Progress)], lambda found: found[-1:] == [20], "the newest")
        await job.cancel()
        await job.wait(5)

    two.run(body)


def test_waiting_for_messages_on_the_coordinators_loop_is_an_error(environment):
    async def body(session):
        outcome = await (await session.submit(functions.listens_on_a_loop)).wait(10)
        assert "messages() would hold up the event loop" in outcome.error

    Conformance("asyncio", None, concurrency=1).run(body)


def test_what_is_given_by_mistake_is_named(two):
    async def body(session):
        with pytest.raises(TypeError, match="give the coroutine function itself"):
            await session.submit(functions.slowly_doubled(1))
        with pytest.raises(InvalidParameters, match="a function is tried once"):
            await session.submit(functions.pid, retry=RetryPolicy())

    two.run(body)


SCRIPT = """
import asyncio, sys
from functools import partial
import outrider

class Squares(outrider.Task):
    count: int
    def run(self) -> list[int]:
        return [n * n for n in range(self.count)]

class Says(outrider.ThirdPartyTask):
    executable = "echo"
    def read_result(self, run: outrider.ProgramRun) -> str:
        return run.stdout

@outrider.task
def add(left: int, right: int = 2) -> int:
    return left + right

async def main(mode):
    from strategies import LOCAL
    async with outrider.Coordinator({"m": LOCAL[mode](concurrency=2)}) as coordinator:
        work = (Squares(count=3), Says(), add.s(3), partial(add, 4), lambda: add(5))
        jobs = [await coordinator.submit(task, "m") for task in work]
        print([await job.result() for job in jobs])

GUARD
    asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.parametrize("mode", LOCAL)
def test_tasks_and_functions_of_a_script_are_found(other_process, tmp_path, mode):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("GUARD", 'if __name__ == "__main__":'))
    done = other_process(
        "import subprocess, sys; sys.exit(subprocess.call([sys.executable, *sys.argv[1:]]))", str(script), mode
    )
    assert (done.returncode, done.stdout) == (0, "[[0, 1, 4], '\\n', 5, 6, 7]\n"), done.stderr


def test_a_script_that_would_submit_while_it_is_read_says_so(other_process, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("GUARD", "if True:").replace("sys.argv[1]", '"process"'))
    done = other_process(
        "import subprocess, sys; sys.exit(subprocess.call([sys.executable, sys.argv[1]]))", str(script)
    )
    assert done.returncode != 0
    assert "put that under `if __name__ == '__main__':`" in done.stderr


def test_x2_a_function_that_says_on_when_its_job_has_ended_holds_up_nobody(environment):
    async def body(session):
        job = await session.running(await session.submit(partial(functions.chatters_on, 3)))
        begun = time.monotonic()
        await job.cancel()
        assert (await job.wait(5)).state == "cancelled"
        assert time.monotonic() - begun < 1 + SLACK

    for mode in ("asyncio", "thread"):
        Conformance(mode, None, concurrency=1).run(body)


def test_x2_an_interruption_that_python_ignores_is_followed_by_another(two):
    async def body(session):
        for _ in range(5):
            job = await session.running(await session.submit(functions.lives_in_destructors))
            await job.cancel()
            outcome = await job.wait(5)
            assert (outcome.state, "takes its slot" in outcome.error) == ("cancelled", False)

    two.run(body)
