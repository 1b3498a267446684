"""Tasklets run in processes of their own: whatever one does, its pool, its worker and the next one are as before (T8)."""

import asyncio
import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from support import TESTS, eventually

from outrider.tasklets import FilePart, SummaryPart, TextPart
from outrider.worker.sweep import cookies_of
from outrider.worker.sweeper import Sweeper
from outrider.worker.tasklet_call import TaskletEnd, TaskletRequest
from outrider.worker.tasklet_pool import TaskletPool


def runs(pid):
    """Say whether a process runs; a zombie that nobody collects does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def parent_of(pid):
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except FileNotFoundError:
        return None


class Site:
    """A pool and the folder of a job."""

    def __init__(self, folder):
        self.folder = folder
        self.worker_id = f"w-{folder.name}"
        self.pool = None

    def request(self, name, *args, seconds=20.0, **changes):
        limit = timedelta(seconds=seconds)
        facts = {"args": args, "directory": self.folder, "folder": self.folder, "time_limit": limit}
        return TaskletRequest(name=name, **facts | changes)

    async def call(self, name, *args, **changes):
        async with asyncio.timeout(60):
            return await self.pool.run(self.request(name, *args, **changes))

    async def parent(self):
        return (await self.call("where")).value["parent"]

    async def has_begun(self):
        began = self.folder / "began"
        text = await asyncio.to_thread(eventually, lambda: began.exists() and began.read_text(), "the tasklet began")
        began.unlink()
        return int(text)

    def runners(self):
        """Those that were started by us; each has forked another one."""
        return [pid for pid in self.processes() if parent_of(pid) == os.getpid()]

    def processes(self):
        """All that carries our worker's cookie."""
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        return [pid for pid in pids if cookies_of(pid)[0] == self.worker_id and runs(pid)]


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


@pytest.fixture
def using(site, monkeypatch):
    """Run a coroutine function with a pool, and see that nothing of the pool is left."""
    monkeypatch.syspath_prepend(str(TESTS))

    def use(test, modules=("little_tasklets",), **options):
        async def main():
            environment = {"PATH": os.environ["PATH"], "EVERYBODYS": "yes"}
            site.pool = TaskletPool(modules, environment, site.worker_id, Sweeper(site.worker_id), **options)
            try:
                return await test()
            finally:
                await site.pool.close()

        try:
            return asyncio.run(main())
        finally:
            assert site.processes() == []

    return use


@pytest.fixture
def answer(site, using):
    """Call one tasklet, then another one, which must not have noticed."""

    def call(name, *args, **changes):
        async def main():
            found = await site.call(name, *args, **changes)
            after = await site.call("add", 1, 2)
            assert (after.ended, after.value) == (TaskletEnd.RETURNED, 3)
            return found

        return using(main)

    return call


# --- what comes back


def test_what_is_returned_comes_back(answer, site):
    found = answer("add", 2, kwargs={"b": 3})
    assert found.ok
    assert (found.value, found.has_value, found.error, found.printed) == (5, True, None, "")
    assert 0 < found.elapsed_seconds < 5
    assert found.peak_rss > 10 << 20


@pytest.mark.parametrize(
    "value", [None, True, 1.5, "ä\x00\ud800"[:2], [1, [2]], {"a": {"b": None}}, 2**70, float("inf")]
)
def test_json_comes_back_as_it_was(answer, value):
    found = answer("same", value)
    assert (found.value, found.has_value) == (value, True)


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ({"peaks": 3}, SummaryPart(values={"peaks": 3})),
        ("3 peaks", TextPart(text="3 peaks", characters=7)),
    ],
)
def test_t6_what_is_returned_comes_back_as_it_is_to_be_shown(answer, value, part):
    assert answer("same", value).parts == (part,)


def test_t6_files_that_show_what_is_returned_are_in_the_folder(answer, site):
    (site.folder / "shown").mkdir()
    parts = answer("same", "long\n" * 100_000, folder=site.folder / "shown").parts
    (file,) = [part for part in parts if isinstance(part, FilePart)]
    assert file.path.parent == site.folder / "shown"
    assert file.path.stat().st_size >= 500_000


def test_nothing_returned_is_not_the_same_as_no_json(answer):
    assert answer("nothing").has_value
    found = answer("returns_what_is_no_json")
    assert (found.ended, found.value, found.has_value) == (TaskletEnd.RETURNED, None, False)


def test_a_value_that_is_too_large_for_others_is_left_out(answer):
    found = answer("returns_large", 2)
    assert (found.ended, found.has_value) == (TaskletEnd.RETURNED, False)


def test_arguments_that_are_too_large_are_refused(answer):
    found = answer("same", "x" * (17 << 20))
    assert found.ended is TaskletEnd.RAISED
    assert "its arguments cannot be sent: 178260" in found.error


def test_a_tasklet_works_in_the_jobs_directory_with_the_jobs_variables(answer, site):
    found = answer("where", environment={"MINE": "1", "OUTRIDER_WORKER": "not me"}).value
    assert found["directory"] == str(site.folder)
    variables = found["variables"]
    assert (variables["MINE"], variables["EVERYBODYS"]) == ("1", "yes")
    assert variables["OUTRIDER_WORKER"] == site.worker_id, "what it starts must be found"
    assert {name for name in variables if name.startswith("OUTRIDER")} == {"OUTRIDER_WORKER", "OUTRIDER_ATTEMPT"}


def test_what_is_printed_comes_back_whoever_prints_it(answer):
    lines = answer("prints").printed.splitlines()
    assert lines == [
        "to stdout",
        "to stderr",
        "WARNING mine: to the log",
        "from a child",
        "\N{REPLACEMENT CHARACTER} raw",
    ]


def test_of_a_flood_the_end_comes_back(answer):
    printed = answer("floods", 20).printed
    assert len(printed) == 65536
    assert printed.endswith("spam\nthe end\n")


def test_a_request_for_a_tasklet_that_is_not_there(answer):
    found = answer("nobody")
    assert found.ended is TaskletEnd.RAISED
    assert "no tasklet is called 'nobody'" in found.error


# --- how it may end


def test_t8_what_it_raises_comes_back_with_the_end_of_the_traceback(answer):
    found = answer("fails")
    assert (found.ended, found.error) == (TaskletEnd.RAISED, "ValueError: no peak")
    assert found.traceback.splitlines()[1].endswith("in fails"), "it begins with the tasklet's own code"
    assert found.traceback.endswith("ValueError: no peak")
    assert found.printed == "so far so good\n"


@pytest.mark.parametrize(
    ("name", "args", "error"),
    [
        ("fails_unspeakably", (), "Unspeakable"),
        ("interrupts", (), "KeyboardInterrupt: "),
        ("add", (), "InvalidTasklet: "),
    ],
)
def test_t8_other_things_to_raise(answer, name, args, error):
    found = answer(name, *args)
    assert found.ended is TaskletEnd.RAISED
    assert found.error.startswith(error)


def test_what_it_says_is_bounded(answer):
    assert len(answer("fails", "x" * 1_000_000).error) == 4000


@pytest.mark.parametrize(("name", "code"), [("leaves", 0), ("leaves", 3), ("leaves_at_once", 0), ("leaves_at_once", 7)])
def test_t8_who_leaves_without_returning_has_failed(answer, name, code):
    found = answer(name, code)
    assert (found.ended, found.exit_code) == (TaskletEnd.EXITED, code)
    assert found.error


@pytest.mark.parametrize(
    ("name", "signal_name"),
    [("crashes", "SIGSEGV"), ("kills_itself", "SIGKILL")],
)
def test_t8_a_crash_fails_the_tasklet_only(answer, name, signal_name):
    found = answer(name)
    assert (found.ended, found.signal) == (TaskletEnd.CRASHED, signal_name)
    assert found.error == f"crashed by {signal_name}"


def test_a_segmentation_fault_says_where(answer):
    assert "in crashes" in answer("crashes").printed


def test_t8_memory_has_a_limit(answer):
    found = answer("eats", 2000, memory=1 << 30)
    assert (found.ended, found.error) == (TaskletEnd.RAISED, "MemoryError: ")
    assert answer("eats", 500, memory=1 << 30).ok


@pytest.mark.parametrize("name", ["sleeps", "is_deaf", "stops_itself"])
def test_t8_a_time_limit_really_ends_it(site, using, name):
    async def main():
        await site.call("nothing")
        begun = time.monotonic()
        found = await site.call(name, seconds=0.4)
        assert 0.4 <= time.monotonic() - begun < 2
        assert (found.ended, found.error) == (TaskletEnd.TIMED_OUT, "took longer than its limit of 0.4 s")
        assert not runs(await site.has_begun())
        begun = time.monotonic()
        assert (await site.call("nothing")).ok
        assert time.monotonic() - begun < 0.5, "no new process had to be started"

    using(main)


@pytest.mark.parametrize("name", ["sleeps", "is_deaf"])
def test_a_call_that_is_called_off_is_over_when_that_is_told(site, using, name):
    async def main():
        parent = await site.parent()
        calling = asyncio.create_task(site.call(name))
        pid = await site.has_begun()
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert not runs(pid)
        assert await site.parent() == parent, "the runner lives"

    using(main, size=1)


def test_a_call_that_is_called_off_while_it_waits_is_never_made(site, using):
    async def main():
        first = asyncio.create_task(site.call("sleeps"))
        await site.has_begun()
        second = asyncio.create_task(site.call("sleeps"))
        await asyncio.sleep(0)
        second.cancel()
        first.cancel()
        await asyncio.wait([first, second])
        assert (await site.call("nothing")).ok
        assert not (site.folder / "began").exists()

    using(main, size=1)


def test_a_call_that_is_called_off_while_the_runner_starts(site, using):
    async def main():
        calling = asyncio.create_task(site.call("nothing"))
        await asyncio.to_thread(eventually, site.processes, "a runner was started")
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert site.processes() == []
        assert (await site.call("nothing")).ok

    using(main, size=1)


# --- what it may leave behind


@pytest.mark.parametrize("then", ["return", "crash", "hang"])
def test_t8_what_it_started_ends_with_it(site, using, then):
    async def main():
        await site.call("leaves_children", then, seconds=1)
        pids = (site.folder / "children").read_text().split()
        assert len(pids) == 3
        assert [pid for pid in pids if runs(pid)] == []

    using(main)


def test_a_thread_that_it_left_does_not_hold_it(answer):
    begun = time.monotonic()
    assert answer("leaves_a_thread").ok
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("name", ["spoils_everything", "closes_everything", "talks_nonsense"])
def test_t8_what_it_does_to_its_process_meets_nobody_else(site, using, name):
    async def main():
        before = (await site.call("where")).value
        first = await site.call(name)
        assert first.value == "spoiled" or not first.ok
        after = (await site.call("where")).value
        assert after.pop("pid") != before.pop("pid")
        assert after == before
        assert (await site.call("same", 1)).value == 1

    using(main, size=1)


def test_each_call_draws_its_own_numbers(site, using):
    async def main():
        assert (await site.call("draws")).value != (await site.call("draws")).value

    using(main, size=1)


# --- the runners


def test_t8_a_runner_that_is_killed_is_replaced_behind_the_scenes(site, using, caplog):
    async def main():
        parent = await site.parent()
        found = await site.call("kills_its_parent")
        assert (found.ended, found.error) == (TaskletEnd.CRASHED, "the process that runs tasklets ended (SIGKILL)")
        ours = await asyncio.to_thread(eventually, site.runners, "there is another")
        assert parent not in ours
        assert await site.parent() == ours[0]

    using(main, size=1)
    assert caplog.messages == ["the process that runs tasklets ended (SIGKILL)"]


def test_a_runner_that_died_while_nobody_looked_costs_no_call(site, using):
    async def main():
        for number in range(3):
            os.kill(await site.parent(), signal.SIGKILL)
            assert (await site.call("same", number)).value == number

    using(main, size=1)


def test_the_process_that_waits_for_the_next_call_may_be_killed(site, using):
    async def main():
        parent = await site.parent()

        def waiting():
            return [pid for pid in site.processes() if parent_of(pid) == parent]

        (pid,) = await asyncio.to_thread(eventually, waiting, "it was forked ahead")
        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(eventually, lambda: not runs(pid), "it is gone")
        assert await site.parent() == parent

    using(main, size=1)


def test_what_a_killed_runner_ran_dies_with_it(site, using):
    async def main():
        parent = await site.parent()
        calling = asyncio.create_task(site.call("leaves_children", "hang"))
        pids = [await site.has_begun(), *map(int, (site.folder / "children").read_text().split())]
        assert all(map(runs, pids))
        os.kill(parent, signal.SIGKILL)
        assert (await calling).ended is TaskletEnd.CRASHED
        os.kill(pids.pop(2), signal.SIGKILL)  # it has thrown its cookies away; only its runner would have found it
        assert [pid for pid in pids if runs(pid)] == []

    using(main, size=1)


def test_a_runner_that_stands_still_is_ended_after_the_limit(site, using, monkeypatch):
    monkeypatch.setattr("outrider.worker.tasklet_process._STOP_SECONDS", 0.5)

    async def main():
        parent = await site.parent()
        calling = asyncio.create_task(site.call("sleeps", seconds=3))
        pid = await site.has_begun()
        os.kill(parent, signal.SIGSTOP)
        found = await calling
        assert found.ended is TaskletEnd.CRASHED
        assert "did not end a call at its time limit" in found.error
        for process in (pid, parent):
            await asyncio.to_thread(eventually, lambda process=process: not runs(process), f"{process} is gone")
        assert (await site.call("nothing")).ok

    using(main, size=1)


@pytest.mark.parametrize("how", ["called off", "over its limit"])
def test_a_runner_that_was_stopped_holds_nobody_up(site, using, monkeypatch, how):
    monkeypatch.setattr("outrider.worker.tasklet_process._STOP_SECONDS", 3.0)

    async def main():
        parent = await site.parent()
        calling = asyncio.create_task(site.call("is_deaf", seconds=60 if how == "called off" else 0.5))
        pid = await site.has_begun()
        os.kill(parent, signal.SIGSTOP)
        begun = time.monotonic()
        if how == "called off":
            calling.cancel()
        await asyncio.wait([calling])
        assert time.monotonic() - begun < (1 if how == "called off" else 5)
        assert not runs(pid)
        assert (await site.call("nothing")).ok

    using(main, size=1)


def test_there_are_no_more_runners_than_may_be(site, using):
    async def main():
        begun = time.monotonic()
        calls = await asyncio.gather(
            *(site.call("where") for _ in range(8)), *(site.call("sleeps", 0.3) for _ in range(4))
        )
        assert all(call.ok for call in calls)
        assert 0.6 <= time.monotonic() - begun < 5
        assert len({call.value["parent"] for call in calls[:8]}) <= 2
        assert len(site.runners()) == 2

    using(main, size=2)


def test_the_first_runner_comes_with_the_first_call_or_when_asked_for(site, using):
    async def main():
        assert site.processes() == []
        site.pool.warm()
        (ready,) = await asyncio.to_thread(eventually, site.runners, "a runner is there")
        assert await site.parent() == ready
        site.pool.warm()
        await asyncio.sleep(0)
        assert site.runners() == [ready]

    using(main)


def test_a_runner_that_nobody_needs_ends(site, using):
    async def main():
        await site.call("nothing")
        assert site.processes()
        await asyncio.to_thread(eventually, lambda: not site.processes(), "it is gone")
        assert (await site.call("nothing")).ok

    using(main, idle=timedelta(seconds=0.3))


def test_a_runner_that_is_needed_does_not_end_meanwhile(site, using):
    async def main():
        assert (await site.call("sleeps", 0.6)).ok
        assert (await site.call("sleeps", 0.6)).ok

    using(main, size=1, idle=timedelta(seconds=0.2))


def test_after_the_pool_nothing_is_run(site, using):
    async def main():
        calling = asyncio.create_task(site.call("leaves_children", "hang"))
        await site.has_begun()
        await site.pool.close()
        assert (await calling).ended is TaskletEnd.CRASHED
        assert [pid for pid in (site.folder / "children").read_text().split() if runs(pid)] == []
        found = await site.call("nothing")
        assert (found.ended, found.error) == (TaskletEnd.CRASHED, "the process that runs tasklets ends with its worker")

    using(main)


def module(site, text):
    (site.folder / "my_tasklets.py").write_text(text)
    return ("my_tasklets",)


@pytest.mark.parametrize(
    ("text", "ended", "error"),
    [
        ("1 / 0", TaskletEnd.RAISED, "'my_tasklets' cannot be imported: ZeroDivisionError"),
        ("import os; os._exit(3)", TaskletEnd.CRASHED, "the process that runs tasklets ended (exit code 3)"),
        ("import os; os.kill(os.getpid(), 11)", TaskletEnd.CRASHED, "the process that runs tasklets ended (SIGSEGV)"),
        ("import time; time.sleep(60)", TaskletEnd.CRASHED, "was not ready after 1 s; what do its modules import?"),
    ],
    ids=["raises", "exits", "crashes", "hangs"],
)
def test_a_module_that_cannot_be_imported_ends_no_worker(site, using, monkeypatch, text, ended, error):
    monkeypatch.syspath_prepend(str(site.folder))
    monkeypatch.setattr("outrider.worker.tasklet_process._START_SECONDS", 1.0)

    async def main():
        found = await site.call("same")
        assert found.ended is ended
        assert error in found.error

    using(main, modules=module(site, text))


@contextlib.contextmanager
def another_worker(site, name, *args):
    """Another process whose pool runs a tasklet."""
    code = f"""
import asyncio, sys
sys.path[:0] = [{str(TESTS)!r}, {str(TESTS / "unit")!r}]
from pathlib import Path
from test_tasklet_pool import Site, Sweeper, TaskletPool
async def main():
    site = Site(Path({str(site.folder)!r}))
    site.pool = TaskletPool(["little_tasklets"], {{"PATH": "/usr/bin:/bin"}}, site.worker_id, Sweeper(site.worker_id))
    await site.call({name!r}, *{args!r})
asyncio.run(main())
"""
    worker = subprocess.Popen([sys.executable, "-c", code])
    try:
        eventually((site.folder / "began").exists, "the tasklet began")
        yield worker
    finally:
        worker.kill()
        worker.wait()
        eventually(lambda: not site.processes(), "the runner and its tasklet are gone")


def test_a_runner_ends_with_its_worker_and_all_that_it_runs_too(site):
    with another_worker(site, "leaves_children", "hang"):
        pids = (site.folder / "children").read_text().split()
    eventually(lambda: not any(map(runs, pids)), "what it started is gone, cookies or not")


def test_a_tasklet_ends_when_its_worker_and_its_runner_are_killed_at_once(site):
    with another_worker(site, "sleeps") as worker:
        runner = parent_of(int((site.folder / "began").read_text()))
        worker.kill()
        os.kill(runner, signal.SIGKILL)


def test_the_kernel_takes_a_tasklet_before_the_worker(site, using):
    async def main():
        score = Path(f"/proc/{await site.parent()}/oom_score_adj")
        return await asyncio.to_thread(score.read_text)

    assert using(main) == "900\n"


@pytest.mark.parametrize("name", ["sleeps", "nothing"])
def test_a_limit_of_years_is_none(site, using, name):
    async def main():
        assert (await site.call(name, *([0.1] if name == "sleeps" else []), seconds=3e8)).ok

    using(main)


def test_it_works_in_a_daemonic_child_on_a_thread_of_its_own(site, tmp_path):
    """As in the `prefork` pool, whose children may have no children by `multiprocessing`."""
    code = f"""
import multiprocessing, sys
sys.path[:0] = [{str(TESTS)!r}, {str(TESTS / "unit")!r}]
from pathlib import Path
from outrider.worker.supervisor_loop import SupervisorLoop
from test_tasklet_pool import Site, Sweeper, TaskletPool
async def call():
    site = Site(Path({str(tmp_path)!r}))
    site.pool = TaskletPool(["little_tasklets"], {{"PATH": "/usr/bin:/bin"}}, site.worker_id, Sweeper(site.worker_id))
    print((await site.call("add", 1, 2)).value, (await site.call("crashes")).signal, flush=True)
    await site.pool.close()
def child():
    SupervisorLoop().submit(call()).result(20)
process = multiprocessing.get_context("fork").Process(target=child, daemon=True)
process.start()
process.join()
"""
    answer = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=30)
    assert answer.stdout == "3 SIGSEGV\n", answer.stderr
    assert site.processes() == []


# --- speed


def test_t8_a_call_is_quick_and_the_loop_is_free_meanwhile(site, using):
    async def main():
        await site.call("nothing")
        times = []
        for _ in range(50):
            begun = time.perf_counter()
            await site.call("nothing")
            times.append(time.perf_counter() - begun)
        return sorted(times)[25]

    assert using(main) < 0.03, "generous: other tests run beside this one"


@pytest.fixture
def numpy():
    if importlib.util.find_spec("numpy") is None:
        pytest.skip("numpy is not installed")


@pytest.mark.usefixtures("numpy")
def test_each_call_draws_its_own_numbers_of_numpys_too(site, using):
    async def main():
        return [(await site.call("draws_with_numpy")).value for _ in range(4)]

    assert len(set(using(main, size=1))) == 4


@pytest.mark.usefixtures("numpy")
def test_large_libraries_are_imported_once(site, using):
    async def main():
        assert (await site.call("imports", "numpy")).value is False
        assert (await site.call("imports", "numpy")).value is True
        assert (await site.call("imports", "sqlite3")).value is False
        assert (await site.call("imports", "sqlite3")).value is False, "what is small is left alone"

    using(main, size=1)
