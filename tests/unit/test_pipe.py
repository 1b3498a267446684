"""All of what a program prints is in its files, and the newest of it comes as messages."""

import asyncio
import filecmp
import os
import signal
import subprocess
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from support import PROGRAMS

from outrider import Finished, JobState, LogLines, Outcome, Progress
from outrider.communicators import PipeCommunicator, ProgressPattern
from outrider.communicators.messages import Message, encode_message


async def collect(pipe: PipeCommunicator) -> list[Message]:
    messages = []
    while (message := await pipe.read()) is not None:
        messages.append(message)
    return messages


class Printing:
    """A program that prints into a pair of pipes; afterwards its messages, its files and how long it all took."""

    def __init__(
        self, folder: Path, *words: str, progress: str | None = None, stdout: Path | None = None, terminal: bool = False
    ) -> None:
        self.stdout, self.stderr = stdout or folder / "stdout.log", folder / "stderr.log"
        self.words = words
        self.pipe = PipeCommunicator(
            {"stdout": self.stdout, "stderr": self.stderr},
            ProgressPattern(progress) if progress else None,
            terminals=["stdout"] if terminal else [],
        )
        self.messages: list[Message] = []
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, afterwards: Callable[[], Awaitable[Any]] | None = None, *, read: bool = True) -> "Printing":
        asyncio.run(self._run(afterwards, read=read))
        return self

    def start(self) -> None:
        """Start the program in pipes that are open."""
        ends = self.pipe.write_ends
        self.process = subprocess.Popen(
            self.words,
            stdin=subprocess.DEVNULL,
            stdout=ends["stdout"],
            stderr=ends["stderr"],
            start_new_session=True,  # as the Executor does
        )
        self.pipe.hand_over()

    async def _run(self, afterwards: Callable[[], Awaitable[Any]] | None, *, read: bool) -> None:
        await self.pipe.open()
        try:
            self.start()
            reading = asyncio.create_task(collect(self.pipe)) if read else None
            await asyncio.to_thread(self.process.wait)
            await (afterwards() if afterwards else self.pipe.wait_drained(20))
            await self.pipe.close()
            self.messages = await (reading or collect(self.pipe))
        finally:
            await self.pipe.close()

    def lines(self, stream: str) -> tuple[str, ...]:
        return tuple(line for m in self.messages if isinstance(m, LogLines) and m.stream == stream for line in m.lines)

    def dropped(self, stream: str) -> int:
        return sum(m.dropped for m in self.messages if isinstance(m, LogLines) and m.stream == stream)


def shell(folder: Path, script: str, **options: Any) -> Printing:
    return Printing(folder, "/bin/sh", "-c", script, **options)


def test_lines_come_by_stream_and_in_order(tmp_path):
    printed = shell(tmp_path, "echo one; echo oops >&2; echo two; printf end").run()
    assert printed.lines("stdout") == ("one", "two", "end")
    assert printed.lines("stderr") == ("oops",)
    assert printed.pipe.last_lines("stderr") == ("oops",)
    assert printed.stdout.read_bytes() == b"one\ntwo\nend"
    assert {(m.source, m.stream) for m in printed.messages} == {("stdout", "stdout"), ("stderr", "stderr")}


def test_a_silent_program_says_nothing(tmp_path):
    printed = shell(tmp_path, "true").run()
    assert printed.messages == []
    assert (printed.stdout.read_bytes(), printed.stderr.read_bytes()) == (b"", b"")


TERMINAL = pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])


@pytest.mark.parametrize("read", [True, False], ids=["read", "not read before the end"])
def test_e5_a_flood_on_both_streams_is_kept_whole_and_relayed_in_part(tmp_path, read):
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        subprocess.run([PROGRAMS / "spam", "20"], stdout=out, stderr=err, check=True)
    tracemalloc.start()
    try:
        printed = Printing(tmp_path, str(PROGRAMS / "spam"), "20").run(read=read)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20
    for stream, expected in ((printed.stdout, tmp_path / "out"), (printed.stderr, tmp_path / "err")):
        assert expected.stat().st_size == 20_000_000
        assert filecmp.cmp(stream, expected, shallow=False)
    total = (tmp_path / "out").read_bytes()
    expected_lines = total.count(b"\n") + (not total.endswith(b"\n"))
    for name in ("stdout", "stderr"):
        assert len(printed.lines(name)) + printed.dropped(name) == expected_lines
        assert printed.dropped(name) > 0
    assert sum(len(m.lines) for m in printed.messages if isinstance(m, LogLines)) < expected_lines / 10


@TERMINAL
def test_e5_whatever_the_bytes_they_are_in_the_file_as_they_were(tmp_path, terminal):
    raw = bytes(range(256)) * 3 + "€\n".encode()
    (tmp_path / "raw").write_bytes(raw)
    printed = Printing(tmp_path, "/bin/cat", str(tmp_path / "raw"), terminal=terminal).run()
    assert printed.stdout.read_bytes() == raw
    assert printed.lines("stdout")[-1].endswith("€")


@TERMINAL
def test_e5_a_letter_that_comes_in_pieces_is_one_letter(tmp_path, terminal):
    script = r"printf '\303'; sleep 0.3; printf '\251t\303'; sleep 0.3; printf '\251\n'"
    printed = shell(tmp_path, script, terminal=terminal).run()
    assert printed.lines("stdout") == ("été",)


@TERMINAL
def test_e5_a_line_of_ten_megabytes_is_kept_whole_and_relayed_by_its_end(tmp_path, terminal):
    script = r"head -c 10000000 /dev/zero | tr '\0' x; echo end"
    printed = shell(tmp_path, script, terminal=terminal).run()
    assert printed.stdout.read_bytes() == b"x" * 10_000_000 + b"end\n"
    (line,) = printed.lines("stdout")
    assert line.startswith("… x")
    assert line.endswith("xend")
    assert len(line) < 5000


def test_a_terminal_is_one_for_standard_output_alone_and_controls_nobody(tmp_path):
    script = """
for stream in 0 1 2; do test -t $stream && echo "$stream is a terminal"; done
sh -c ': < /dev/tty' 2>/dev/null || echo "nobody's terminal"
exec 3<&1; stty size <&3; stty -a <&3 | grep -o -e '-opost' -e '-echo '"""
    printed = shell(tmp_path, script, terminal=True).run()
    assert printed.lines("stdout") == ("1 is a terminal", "nobody's terminal", "24 200", "-opost", "-echo ")


def test_what_is_printed_right_before_the_end_comes_through_a_terminal_in_full(tmp_path):
    for length in (1, 4095, 4096, 12_288, 100_000):
        printed = Printing(tmp_path, "/usr/bin/head", "-c", str(length), "/dev/zero", terminal=True).run()
        assert printed.stdout.stat().st_size == length


def test_a_program_outlives_its_terminal(tmp_path):
    """Nobody gets a SIGHUP: what ends a program is its Executor."""

    async def main() -> None:
        printing = shell(tmp_path, f"echo here; sleep 0.5; touch {tmp_path}/alive", terminal=True)
        await printing.pipe.open()
        printing.start()
        await printing.pipe.read()
        await printing.pipe.close()
        assert await asyncio.to_thread(printing.process.wait) == 0

    asyncio.run(main())
    assert (tmp_path / "alive").exists()


@pytest.mark.alone
@TERMINAL
def test_p11_a_program_that_holds_its_output_back_from_a_pipe_is_heard_through_a_terminal(tmp_path, terminal):
    printing = shell(tmp_path, "{ echo now; sleep 1.5; } | sed s/now/heard/", terminal=terminal)

    async def main() -> float:
        await printing.pipe.open()
        printing.start()
        begun = time.monotonic()
        async with asyncio.timeout(10):
            message = await printing.pipe.read()
        seconds = time.monotonic() - begun
        assert message.lines == ("heard",)
        await asyncio.to_thread(printing.process.wait)
        await printing.pipe.close()
        return seconds

    assert (asyncio.run(main()) < 1) is terminal


def test_progress_is_found_without_any_line_end(tmp_path):
    script = r"printf '1/3\r2/3\r'; sleep 0.4; printf '3/3\r'"
    printed = shell(tmp_path, script, progress=r"(?P<done>\d+)/(?P<total>\d+)").run()
    progress = [m for m in printed.messages if isinstance(m, Progress)]
    assert [(m.done, m.total, m.source) for m in progress] == [(2, 3, "stdout"), (3, 3, "stdout")]


@TERMINAL
def test_e4_progress_is_found_between_colours(tmp_path, terminal):
    script = r"printf '\033[1;32m1\033[0m/\033[1m3\033[0m\033[K\r'; sleep 0.3; printf '\033[2K2\033[0m/3\033'; sleep 0.3; printf '[0m'"
    printed = shell(tmp_path, script, progress=r"(?P<done>\d+)/(?P<total>\d+)", terminal=terminal).run()
    assert [(m.done, m.total) for m in printed.messages if isinstance(m, Progress)] == [(1, 3), (2, 3)]


def test_old_progress_on_one_stream_does_not_come_back_after_newer_on_the_other(tmp_path):
    script = r"printf '1/3\r'; sleep 0.3; printf '2/3\r' >&2; sleep 0.3; printf '3/3\r' >&2"
    printed = shell(tmp_path, script, progress=r"(?P<done>\d+)/(?P<total>\d+)").run()
    assert [m.done for m in printed.messages if isinstance(m, Progress)] == [1, 2, 3]


def test_the_same_progress_is_told_once(tmp_path):
    script = r"for i in 1 2 3 4; do printf '1/3\r'; sleep 0.15; done"
    printed = shell(tmp_path, script, progress=r"(?P<done>\d+)/(?P<total>\d+)").run()
    assert len([m for m in printed.messages if isinstance(m, Progress)]) == 1


@pytest.mark.alone
def test_what_a_slow_program_prints_comes_while_it_runs(tmp_path):
    async def main() -> float:
        printing = shell(tmp_path, "echo now; exec sleep 30")
        await printing.pipe.open()
        printing.start()
        begun = time.monotonic()
        message = await asyncio.wait_for(printing.pipe.read(), 5)
        seconds = time.monotonic() - begun
        printing.process.kill()
        printing.process.wait()
        await printing.pipe.close()
        assert message.lines == ("now",)
        return seconds

    assert asyncio.run(main()) < 1


def seconds_to_hear(folder: Path, printed: bytes) -> float:
    """How long it takes until a line is heard that comes right after the news of what was printed before."""

    async def main() -> float:
        pipe = PipeCommunicator({"stdout": folder / "stdout.log"})
        await pipe.open()
        os.write(pipe.write_ends["stdout"], printed)
        await pipe.read()
        begun = time.monotonic()
        os.write(pipe.write_ends["stdout"], b"next\n")
        async with asyncio.timeout(10):
            await pipe.read()
        seconds = time.monotonic() - begun
        await pipe.close()
        return seconds

    return asyncio.run(main())


def test_a_line_soon_after_another_waits_a_twentieth_of_a_second(tmp_path):
    fastest = min(seconds_to_hear(tmp_path, b"one\n") for _ in range(5))
    assert 0.04 < fastest < 0.08


@pytest.mark.parametrize("printed", [b"line\n" * 20, b"no line end " * 100 + b"\n"], ids=["lines", "characters"])
def test_the_more_was_printed_the_longer_waits_what_comes_next(tmp_path, printed):
    assert seconds_to_hear(tmp_path, printed) > 0.09


def test_it_is_known_when_the_last_byte_came(tmp_path):
    begun = time.monotonic()
    printed = shell(tmp_path, "sleep 0.3; echo now >&2; exec >&- 2>&-; sleep 0.5").run()
    assert 0.3 <= printed.pipe.last_output - begun < 0.8


def test_c5_printed_messages_stay_text(tmp_path):
    forged = encode_message(Finished(outcome=Outcome(state=JobState.SUCCEEDED))).decode()
    printed = Printing(tmp_path, "/bin/echo", forged).run()
    assert [type(message) for message in printed.messages] == [LogLines]
    assert printed.lines("stdout") == (forged,)


@pytest.mark.alone
def test_an_escaped_grandchild_that_holds_the_pipes_cannot_hold_the_end(tmp_path):
    printing = Printing(tmp_path, str(PROGRAMS / "escape"))
    begun = time.monotonic()
    try:
        printing.run(lambda: printing.pipe.wait_drained(0.3))
        seconds = time.monotonic() - begun
    finally:
        escaped = int(printing.stdout.read_text())
        os.kill(escaped, signal.SIGKILL)
    assert printing.lines("stdout") == (str(escaped),)
    assert 0.3 <= seconds < 3


def test_a_full_disk_costs_the_file_and_not_the_program(tmp_path, caplog):
    printed = shell(tmp_path, "echo one; sleep 0.3; echo two", stdout=Path("/dev/full")).run()
    assert printed.process.returncode == 0
    assert printed.lines("stdout") == ("one", "two")
    assert [(line.levelname, line.action) for line in caplog.records] == [("ERROR", "log_file_lost")]


def test_the_last_lines_of_a_stream_that_is_not_piped_are_none(tmp_path):
    assert PipeCommunicator({"stderr": tmp_path / "stderr.log"}).last_lines("stdout") == ()


@TERMINAL
def test_no_descriptor_stays_open(tmp_path, terminal):
    before = os.listdir("/proc/self/fd")
    shell(tmp_path, "echo one", terminal=terminal).run()
    assert os.listdir("/proc/self/fd") == before


def test_no_descriptor_stays_open_when_a_file_cannot_be_made(tmp_path):
    before = os.listdir("/proc/self/fd")

    async def main() -> None:
        pipe = PipeCommunicator({"stdout": tmp_path / "out", "stderr": tmp_path / "missing" / "err"})
        with pytest.raises(FileNotFoundError):
            await pipe.open()
        await pipe.close()

    asyncio.run(main())
    assert os.listdir("/proc/self/fd") == before
