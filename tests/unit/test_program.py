"""One running program: how it ends, and that its group ends with it."""

import asyncio
import contextlib
import os
import resource
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from support import PROGRAMS, eventually

from outrider.communicators import Exit
from outrider.config.errors import CannotRun
from outrider.worker import Launch
from outrider.worker.program import Program


def launch_of(directory: Path, *argv: str, **environment: str) -> Launch:
    return Launch(
        argv=argv,
        program=argv[0],
        directory=directory,
        environment={"PATH": "/usr/bin:/bin", **environment},
        environment_difference={},
        stdin=None,
        stdout=None,
        terminal=False,
        input_files={},
    )


@contextlib.asynccontextmanager
async def started(directory: Path, name: str, *words: str) -> AsyncIterator[Program]:
    """Start one of the tests' programs, with its output in the files `stdout` and `stderr`."""
    path = str(PROGRAMS / name) if (PROGRAMS / name).exists() else name
    with (directory / "stdout").open("wb") as out, (directory / "stderr").open("wb") as err:
        program = Program.start(launch_of(directory, path, *words), out.fileno(), err.fileno())
    try:
        yield program
    finally:
        program.kill()
        await program.wait()


def run(directory: Path, name: str, *words: str) -> Exit:
    async def main() -> Exit:
        async with started(directory, name, *words) as program:
            return await asyncio.wait_for(program.wait(), 20)

    return asyncio.run(main())


def runs(pid: int) -> bool:
    """Say whether a process runs; a zombie that nobody collects does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


async def printed(directory: Path, words: str = "") -> str:
    """Return what the program has printed, once it is there."""
    out = directory / "stdout"
    return str(await asyncio.to_thread(eventually, lambda: words in (text := out.read_text()) and text, "it printed"))


@pytest.mark.parametrize(
    ("name", "words", "exit_code", "signal"),
    [
        ("ok", (), 0, None),
        ("fail", (), 3, None),
        ("fail", ("255",), 255, None),
        ("segv", (), None, "SIGSEGV"),
        ("/bin/sh", ("-c", "kill -9 $$"), None, "SIGKILL"),
        ("/bin/sh", ("-c", "kill -40 $$"), None, "SIG40"),
    ],
)
def test_e1_an_end_is_an_exit_code_or_a_signals_name(tmp_path, name, words, exit_code, signal):
    ended = run(tmp_path, name, *words)
    assert (ended.exit_code, ended.signal) == (exit_code, signal)
    assert ended.ok is (exit_code == 0)


def test_output_goes_where_it_was_sent(tmp_path):
    run(tmp_path, "fail")
    assert (tmp_path / "stdout").read_text() == "half a result\n"
    assert (tmp_path / "stderr").read_text() == "first complaint\nlast complaint\n"


@pytest.mark.alone
def test_time_is_measured(tmp_path):
    idle = run(tmp_path, "hang", "0.3")
    busy = run(tmp_path, "/bin/sh", "-c", "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done")
    assert 0.25 <= idle.elapsed_seconds < 3
    assert idle.cpu_seconds < 0.05 < busy.cpu_seconds <= busy.elapsed_seconds * 1.5


def test_the_peak_of_a_large_program_is_measured(tmp_path):
    own_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10  # below it, nothing is known of a program
    megabytes = max(400, own_peak + 100)
    code = f"b'x' * ({megabytes} << 20)"
    ended = run(tmp_path, sys.executable, "-c", code)
    assert ended.peak_rss > megabytes << 20


def test_the_program_lives_in_a_session_of_its_own(tmp_path):
    async def main():
        async with started(tmp_path, "hang") as program:
            assert os.getsid(program.pid) == os.getpgid(program.pid) == program.pid
            assert 0 <= program.elapsed_seconds < 20

    asyncio.run(main())


def test_standard_input_is_empty_and_the_directory_is_the_launchs(tmp_path):
    ended = run(tmp_path, "/bin/sh", "-c", "cat; pwd")
    assert ended.ok
    assert (tmp_path / "stdout").read_text() == f"{tmp_path}\n"


def test_the_environment_is_the_launchs_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKERS_OWN", "secret")
    run(tmp_path, "/usr/bin/env")
    seen = (tmp_path / "stdout").read_text().splitlines()
    assert seen == ["PATH=/usr/bin:/bin"]


@pytest.mark.alone
def test_no_descriptor_of_ours_reaches_the_program(tmp_path):
    with (tmp_path / "ours").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        run(tmp_path, "/bin/sh", "-c", "ls -l /proc/self/fd")
    assert str(tmp_path / "ours") not in (tmp_path / "stdout").read_text()


def stop_after(directory: Path, words: str, grace: timedelta, name: str, *arguments: str) -> tuple[Exit, float]:
    """Stop a program once it printed some words; return its end and how long that took."""

    async def main():
        async with started(directory, name, *arguments) as program:
            await printed(directory, words)
            begun = time.monotonic()
            await program.stop(grace)
            return await asyncio.wait_for(program.wait(), 5), time.monotonic() - begun

    return asyncio.run(main())


def test_x2_stop_sends_term_and_a_program_that_obeys_is_gone_at_once(tmp_path):
    ended, seconds = stop_after(tmp_path, "hanging", timedelta(seconds=10), "hang")
    assert ended.signal == "SIGTERM"
    assert seconds < 2


def test_x2_a_program_that_ignores_term_gets_kill_after_the_grace(tmp_path):
    ended, seconds = stop_after(tmp_path, "deaf", timedelta(seconds=0.4), "ignore-term")
    assert ended.signal == "SIGKILL"
    assert 0.4 <= seconds < 1.4


@pytest.mark.parametrize("way", ["leave", "stop"])
def test_children_die_with_the_program(tmp_path, way):
    async def main() -> int:
        async with started(tmp_path, "fork", way) as program:
            child = int(await printed(tmp_path, "\n"))
            if way == "stop":
                assert runs(child)
                await program.stop(timedelta(seconds=5))
            await asyncio.wait_for(program.wait(), 5)
            return child

    child = asyncio.run(main())
    eventually(lambda: not runs(child), f"the child {child} is gone", 5)


def test_a_program_that_has_ended_is_left_alone(tmp_path):
    async def main() -> Exit:
        async with started(tmp_path, "ok") as program:
            ended = await program.wait()
            program.kill()
            await program.stop(timedelta(seconds=1))
            assert await program.wait() == ended
            return ended

    assert asyncio.run(main()).ok


def test_one_who_stops_waiting_does_not_disturb_the_others(tmp_path):
    async def main() -> Exit:
        async with started(tmp_path, "hang", "0.2") as program:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(program.wait(), 0.01)
            return await program.wait()

    assert asyncio.run(main()).ok


def test_no_descriptor_and_no_zombie_stays(tmp_path):
    async def main():
        async with started(tmp_path, "ok") as program:
            await program.wait()
        before = set(os.listdir("/proc/self/fd"))
        for _ in range(20):
            async with started(tmp_path, "ok") as program:
                await program.wait()
        assert set(os.listdir("/proc/self/fd")) == before
        return program.pid

    assert not Path(f"/proc/{asyncio.run(main())}").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("/no/such/program",), "cannot start /no/such/program: No such file or directory"),
        ((str(PROGRAMS),), "Permission denied"),
        (("/bin/echo", "x" * 3_000_000), "cannot start /bin/echo: Argument list too long"),
    ],
    ids=["missing", "a folder", "too many words"],
)
def test_what_the_system_refuses_cannot_run(tmp_path, words, message):
    async def main():
        Program.start(launch_of(tmp_path, *words), None, 2)

    with pytest.raises(CannotRun, match=message) as refusal:
        asyncio.run(main())
    assert refusal.value.reason == "environment"


def test_a_file_for_standard_output_that_cannot_be_made_is_named(tmp_path):
    async def main():
        launch = launch_of(tmp_path, "/bin/echo")
        Program.start(type(launch)(**{**vars(launch), "stdout": tmp_path / "missing" / "out.txt"}), None, 2)

    with pytest.raises(CannotRun, match=r"missing/out\.txt"):
        asyncio.run(main())


def test_a_stop_that_is_called_off_at_the_very_end_of_the_program_is_called_off():
    """`asyncio.wait_for` would go on here (Python 3.11), and whoever called it off would wait for ever."""

    async def main():
        program = object.__new__(Program)
        program.pid = 2**22  # nobody's
        program._ended = asyncio.get_running_loop().create_future()
        stopping = asyncio.create_task(program.stop(timedelta(seconds=30)))
        await asyncio.sleep(0.05)
        program._ended.set_result(None)
        await asyncio.sleep(0)
        stopping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await stopping
        return stopping.cancelled()

    assert asyncio.run(main())
