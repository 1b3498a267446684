"""What Outrider is measured against: Celery as its documentation shows it, with tasks that call `subprocess.run`.

Everything that is not set here is Celery's default, prefetching included; JSON is the default, and events come with the
worker's `-E`. The task of `/bin/true` captures nothing: the least that such a task can do.
"""

import os
import subprocess
import time

from bench_tasks import FLOOD_PROGRAM
from celery import Celery

__all__ = ["app", "flood", "nap", "nothing"]

app = Celery("plain_celery", broker=os.environ["BENCH_BROKER_URL"], backend=os.environ["BENCH_RESULT_URL"])


@app.task  # type: ignore[untyped-decorator]  # Celery ships no types
def nothing() -> int:
    """Run `/bin/true`."""
    return subprocess.run(["/bin/true"], check=True).returncode


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
