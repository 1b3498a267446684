"""Where everything is measured: a private Redis, a folder for jobs, and one worker at a time.

Both sides use the same Redis, each its own databases; a worker starts with an empty one.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import psutil
import redis
from processes import end_tree, private_redis
from producer import TIMEOUT_SECONDS
from pydantic import TypeAdapter

__all__ = ["Lab", "Side", "open_lab"]

T = TypeVar("T")

_SECONDS = TypeAdapter(list[float])
_HERE = Path(__file__).parent
_MEMORY = Path("/dev/shm")
#: For the program that writes 200 MB, and for many small files.
_ROOM_BYTES = 1_000_000_000
#: Meant for the process that runs the benchmark, not for what it measures.
_NOT_INHERITED = ("OUTRIDER_", "CELERY_", "PYTHONDONTWRITEBYTECODE")


class Side(StrEnum):
    """Who is measured; the value names `<value>_producer.py`."""

    OURS = "our"
    PLAIN = "plain"

    @property
    def app(self) -> str:
        """What `celery -A` takes."""
        return "outrider" if self is Side.OURS else "plain_celery"


@dataclass(frozen=True)
class Lab:
    """The place and the scale of all measurements."""

    folder: Path
    quick: bool

    @property
    def jobs(self) -> Path:
        """The work root: where our job directories are."""
        return self.folder / "jobs"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of everything that is measured."""
        socket = f"{self.folder}/redis.sock?virtual_host="
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(_NOT_INHERITED)}
        return inherited | {
            "PYTHONPATH": str(_HERE),
            "PYTHONPYCACHEPREFIX": str(self.folder / "pycache"),
            "OUTRIDER_BROKER_URL": self.redis_url,
            "OUTRIDER_TASKS": "bench_tasks,bench_tasklets",
            "OUTRIDER_PROJECT": str(self.folder),
            "OUTRIDER_WORK_ROOT": str(self.jobs),
            "OUTRIDER_LOG_LEVEL": "WARNING",
            "OUTRIDER_HEARTBEAT_INTERVAL": "2s",  # only `memory` runs programs long enough to meet one
            "BENCH_REDIS_URL": self.redis_url,
            "BENCH_BROKER_URL": f"redis+socket://{socket}1",
            "BENCH_RESULT_URL": f"redis+socket://{socket}2",
        }

    @property
    def redis_url(self) -> str:
        """The private Redis, as redis-py names it."""
        return f"unix://{self.folder}/redis.sock?db=0"

    def scaled(self, full: int, quick: int) -> int:
        """Return one of two sizes."""
        return quick if self.quick else full

    def rounds(self, measure: Callable[[Side], T], count: int) -> list[tuple[T, T]]:
        """Measure ours and plain Celery in turn, in the order A B B A …, so that the machine's moods hit both."""
        found: list[tuple[T, T]] = []
        for number in range(count):
            order = (Side.OURS, Side.PLAIN) if number % 2 == 0 else (Side.PLAIN, Side.OURS)
            values = {side: measure(side) for side in order}
            found.append((values[Side.OURS], values[Side.PLAIN]))
        return found

    def ask(self, side: Side, question: str, count: int) -> str:
        """Have a fresh producer answer a question (see `ask.py`), and return its JSON."""
        words = [sys.executable, str(_HERE / "ask.py"), side, question, str(count)]
        done = subprocess.run(
            words,
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            check=False,
            timeout=2 * TIMEOUT_SECONDS,
        )
        if done.returncode:
            log = self.folder / "worker.log"
            worker = log.read_text() if log.exists() else ""
            raise SystemExit(
                f"the producer of {side.value!r} could not answer {question!r}; its worker said:\n{worker}"
            )
        return done.stdout.decode()

    def seconds(self, side: Side, question: str, count: int) -> list[float]:
        """Ask a question that is answered in seconds."""
        return _SECONDS.validate_json(self.ask(side, question, count))

    @contextlib.contextmanager
    def worker(self, side: Side, concurrency: int) -> Iterator[psutil.Process]:
        """Run a fresh worker on an empty Redis; end it with all that it started."""
        self.clean()
        words = [sys.executable, "-m", "celery", "-A", side.app, "worker", "--pool", "threads", "--task-events"]
        words += ["--concurrency", str(concurrency), "--loglevel", "WARNING"]
        words += ["--without-mingle", "--without-gossip"]  # neighbours to greet there are none
        with (self.folder / "worker.log").open("wb") as log:
            process = psutil.Popen(
                words, env=self.environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        try:
            yield process
        finally:
            end_tree(process)

    def clean(self) -> None:
        """Empty the Redis. Files stay: ext4 makes new ones slowly for minutes after many were deleted."""
        with redis.Redis.from_url(self.redis_url) as server:
            server.flushall()


@contextlib.contextmanager
def open_lab(place: Path | None = None, *, quick: bool) -> Iterator[Lab]:
    """Make a folder, start the Redis, and leave nothing behind.

    Args:
        place: where to make the folder; default: in memory if there is room, so that no disk disturbs.
        quick: whether fewer jobs and rounds will do.
    """
    with tempfile.TemporaryDirectory(prefix="outrider-bench-", dir=place or _quiet_place()) as name:
        folder = Path(name)
        with private_redis(folder / "redis.sock"):
            yield Lab(folder, quick)


def _quiet_place() -> Path:
    if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES:
        return _MEMORY
    return Path(tempfile.gettempdir())
