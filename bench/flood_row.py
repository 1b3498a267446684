"""The row about a program that writes 200 MB of lines as fast as they are taken."""

import shutil
import statistics
import subprocess
import time

from bench_tasks import FLOOD_PROGRAM
from lab import Lab, Side
from speed import SLOTS
from table import Aim, Row

__all__ = ["flood"]

_BYTES = 200_000_000
_BARE_RUNS = 3


def flood(lab: Lab) -> list[Row]:
    """Time the program itself: under us into its log, under plain Celery into the task's memory, bare into a file."""
    bare: list[float] = []

    def measure(side: Side) -> float:
        """Measure beside bare runs, whose ratio counts."""
        bare.append(statistics.median(_bare_seconds(lab) for _ in range(_BARE_RUNS)))
        with lab.worker(side, SLOTS):
            seconds = statistics.median(lab.seconds(side, "flood", _BYTES))
        shutil.rmtree(lab.jobs, ignore_errors=True)
        return seconds / bare[-1]

    rounds = lab.rounds(measure, lab.scaled(5, 1))
    usual = statistics.median(bare)
    ours, plain = (statistics.median(ratios) for ratios in zip(*rounds, strict=True))
    return [
        Row(
            name="a program that writes 200 MB of lines",
            unit="s",
            ours=ours * usual,
            plain=plain * usual,
            compared=ours,
            compared_as=f"times bare ({usual:.2f} s)",
            aim=Aim.at_most(1.2, "times"),
        )
    ]


def _bare_seconds(lab: Lab) -> float:
    file = lab.folder / "bare"
    with file.open("wb") as stdout:
        begun = time.perf_counter()
        subprocess.run([FLOOD_PROGRAM, str(_BYTES)], stdout=stdout, check=True)
        seconds = time.perf_counter() - begun
    file.unlink()
    return seconds
