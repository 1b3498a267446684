"""What Outrider is measured against: Celery as its documentation shows it, with tasks that call `subprocess.run`.

Everything that is not set here is Celery's default, prefetching included; JSON is the default, and events come with the
worker's `-E`. The task of `/bin/true` captures nothing: the least that such a task can do.
"""

import os
import subprocess
import sys
import time
from typing import Any

from bench_tasks import FLOOD_PROGRAM, TALK_PROGRAM
from celery import Celery

__all__ = ["app", "flood", "link", "nap", "nothing", "report", "talk"]

app = Celery("plain_celery", broker=os.environ["BENCH_BROKER_URL"], backend=os.environ["BENCH_RESULT_URL"])


@app.task  # type: ignore[untyped-decorator]  # Celery ships no types
def nothing() -> int:
    """Run `/bin/true`."""
    return subprocess.run(["/bin/true"], check=True).returncode


@app.task  # type: ignore[untyped-decorator]
def link() -> None:
    """Do nothing."""


@app.task  # type: ignore[untyped-decorator]
def nap(seconds: int) -> int:
    """Run `sleep`."""
    return subprocess.run(["sleep", str(seconds)], check=False).returncode


@app.task  # type: ignore[untyped-decorator]
def flood(size: int) -> float:
    """Run the program that floods, keep what it writes in memory, and return its seconds from start to end."""
    begun = time.perf_counter()
    subprocess.run([FLOOD_PROGRAM, str(size)], check=True, capture_output=True)
    return time.perf_counter() - begun


@app.task(bind=True)  # type: ignore[untyped-decorator]
def talk(self: Any, count: int, period: int) -> None:
    """Run the program that prints its clock, and tell each line as a custom state."""
    words = [sys.executable, TALK_PROGRAM, str(count), str(period)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as program:
        for line in program.stdout or ():
            self.update_state(state="PROGRESS", meta={"line": line})


@app.task(bind=True)  # type: ignore[untyped-decorator]
def report(self: Any, count: int) -> None:
    """Tell numbers as custom states, as fast as they are taken."""
    for number in range(count):
        self.update_state(state="PROGRESS", meta={"value": number})
