"""The rows about what an import costs a producer before it does anything."""

import statistics
import subprocess
import sys
import time

from lab import Lab
from table import Aim, Row

__all__ = ["import_time"]

_NOTHING = "pass"
_PLAIN = "from celery import Celery"
_OURS = {"import outrider": Aim.at_most(150, "ms"), "from outrider import submit": None}


def import_time(lab: Lab) -> list[Row]:
    """Start Python with and without an import; to compile byte code, once per installation, does not count."""
    times: dict[str, list[float]] = {snippet: [] for snippet in (_NOTHING, _PLAIN, *_OURS)}
    for snippet in times:
        _seconds(lab, snippet)  # compiles
    for _ in range(lab.scaled(15, 3)):
        for snippet, found in times.items():
            found.append(_seconds(lab, snippet))
    cost = {
        snippet: 1000 * (statistics.median(found) - statistics.median(times[_NOTHING]))
        for snippet, found in times.items()
    }
    return [
        Row(
            name=snippet,
            unit="ms",
            ours=cost[snippet],
            plain=cost[_PLAIN],
            compared=cost[snippet],
            compared_as="ms",
            aim=aim,
        )
        for snippet, aim in _OURS.items()
    ]


def _seconds(lab: Lab, snippet: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", snippet], env=lab.environment, cwd=lab.folder, check=True)
    return time.perf_counter() - begun
