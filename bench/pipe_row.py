"""The rows about a program's way into its log file, without a worker: what draining costs by itself."""

import asyncio
import subprocess
import time
from pathlib import Path

from bench_tasks import FLOOD_PROGRAM
from lab import Lab, Side
from table import Aim, Row, ratio_row

from outrider import LogLines
from outrider.communicators import PipeCommunicator, ProgressPattern

__all__ = ["pipe"]

_BYTES = 300_000_000
_LINE = b"frame 000123 intensity 0.482913 background 0.011372 peaks 42\n"
_LINES = 1_000_000
_PRINTING = f"seq -f 'frame %.0f of {_LINES} is at work' {_LINES}"
_PATTERN = r"frame (?P<done>\d+) of (?P<total>\d+)"


def pipe(lab: Lab) -> list[Row]:
    """Drain programs with our communicator; beside it the shell's `| cat > file`, and for lines `> file`."""
    source = _lines_in_a_file(lab.folder / "lines")
    rows = [
        _throughput(lab, "lines of `yes`", f"{FLOOD_PROGRAM} {_BYTES}", Aim.at_least(0.7, "times")),
        _throughput(lab, "lines of `cat`", f"cat {source}", None),
    ]
    source.unlink()
    return [*rows, *_lines(lab)]


def _throughput(lab: Lab, name: str, program: str, aim: Aim | None) -> Row:
    def rate(side: Side) -> float:
        return _BYTES / 1e6 / (_drain(lab, program)[0] if side is Side.OURS else _shell(lab, f"{program} | cat"))

    return ratio_row(f"{name}, to its log; beside `| cat > file`", "MB/s", lab.rounds(rate, lab.scaled(9, 3)), aim)


def _lines(lab: Lab) -> list[Row]:
    relayed: list[int] = []

    def seconds(side: Side) -> float:
        if side is Side.PLAIN:
            return _shell(lab, _PRINTING)
        taken, lines = _drain(lab, _PRINTING)
        relayed.append(lines)
        return taken

    rounds = lab.rounds(seconds, lab.scaled(9, 3))
    rates = [(lines / ours, _LINES / ours) for lines, (ours, _) in zip(relayed, rounds, strict=True)]
    return [
        ratio_row("10⁶ lines, searched for progress; beside `> file`", "s", rounds, Aim.at_most(1.2, "times")),
        ratio_row("lines relayed to watchers; beside those printed", "lines/s", rates),
    ]


def _drain(lab: Lab, program: str) -> tuple[float, int]:
    """Return the seconds until the program's last byte is in the file, and the lines that would be relayed."""

    async def drain() -> tuple[float, int]:
        files = {"stdout": lab.folder / "stdout.log", "stderr": lab.folder / "stderr.log"}
        communicator = PipeCommunicator(files, ProgressPattern(_PATTERN))
        await communicator.open()
        lines, begun = 0, time.perf_counter()
        process = _start(program, communicator)
        while (message := await communicator.read()) is not None:
            lines += len(message.lines) if isinstance(message, LogLines) else 0
        seconds = time.perf_counter() - begun
        process.wait()
        await communicator.close()
        for file in files.values():
            file.unlink()
        return seconds, lines

    return asyncio.run(drain())


def _start(program: str, communicator: PipeCommunicator) -> "subprocess.Popen[bytes]":
    ends = communicator.write_ends
    process = subprocess.Popen(["sh", "-c", program], stdout=ends["stdout"], stderr=ends["stderr"])
    communicator.hand_over()
    return process


def _shell(lab: Lab, program: str) -> float:
    file = lab.folder / "bare"
    begun = time.perf_counter()
    subprocess.run(["sh", "-c", f"{program} > {file}"], check=True)
    seconds = time.perf_counter() - begun
    file.unlink()
    return seconds


def _lines_in_a_file(path: Path) -> Path:
    with path.open("wb") as file:
        for _ in range(100):
            file.write((_LINE * (_BYTES // 100 // len(_LINE) + 1))[: _BYTES // 100])
    return path
