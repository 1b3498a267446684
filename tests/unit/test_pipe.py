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

    def __init__(self, folder: Path, *words: str, progress: str | None = None, stdout: Path | None = None) -> None:
        self.stdout, self.stderr = stdout or folder / "stdout.log", folder / "stderr.log"
        self.words = words
        self.pipe = PipeCommunicator(
            {"stdout": self.stdout, "stderr": self.stderr}, ProgressPattern(progress) if progress else None
        )
        self.messages: list[Message] = []
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, afterwards: Callable[[], Awaitable[Any]] | None = None, *, read: bool = True) -> "Printing":
        asyncio.run(self._run(afterwards, read=read))
        return self

    def start(self) -> None:
        """Start the program in pipes that are open."""
        ends = self.pipe.write_ends
        self.process = subprocess.Popen(self.words, stdout=ends["stdout"], stderr=ends["stderr"])
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


def test_e5_whatever_the_bytes_they_are_in_the_file_as_they_were(tmp_path):
    raw = bytes(range(256)) * 3 + "€\n".encode()
    (tmp_path / "raw").write_bytes(raw)
    printed = Printing(tmp_path, "/bin/cat", str(tmp_path / "raw")).run()
    assert printed.stdout.read_bytes() == raw
    assert printed.lines("stdout")[-1].endswith("€")


def test_progress_is_found_without_any_line_end(tmp_path):
    script = r"printf '1/3\r2/3\r'; sleep 0.4; printf '3/3\r'"
    printed = shell(tmp_path, script, progress=r"(?P<done>\d+)/(?P<total>\d+)").run()
    progress = [m for m in printed.messages if isinstance(m, Progress)]
    assert [(m.done, m.total, m.source) for m in progress] == [(2, 3, "stdout"), (3, 3, "stdout")]


def test_old_progress_on_one_stream_does_not_come_back_after_newer_on_the_other(tmp_path):
    script = r"printf '1/3\r'; sleep 0.3; printf '2/3\r' >&2; sleep 0.3; printf '3/3\r' >&2"
    printed = shell(tmp_path, script, progress=r"(?P<done>\d+)/(?P<total>\d+)").run()
    assert [m.done for m in printed.messages if isinstance(m, Progress)] == [1, 2, 3]


def test_the_same_progress_is_told_once(tmp_path):
    script = r"for i in 1 2 3 4; do printf '1/3\r'; sleep 0.15; done"
    printed = shell(tmp_path, script, progress=r"(?P<done>\d+)/(?P<total>\d+)").run()
    assert len([m for m in printed.messages if isinstance(m, Progress)]) == 1


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


def test_c5_printed_messages_stay_text(tmp_path):
    forged = encode_message(Finished(outcome=Outcome(state=JobState.SUCCEEDED))).decode()
    printed = Printing(tmp_path, "/bin/echo", forged).run()
    assert [type(message) for message in printed.messages] == [LogLines]
    assert printed.lines("stdout") == (forged,)


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


def test_no_descriptor_stays_open(tmp_path):
    before = os.listdir("/proc/self/fd")
    shell(tmp_path, "echo one").run()
    assert os.listdir("/proc/self/fd") == before
