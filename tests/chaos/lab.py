"""Where the storm takes place: a folder, a Redis that survives `kill -9`, and the variables that all processes share."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import redis

from outrider.config import find_redis_server

__all__ = ["Lab", "poll"]

_HERE = Path(__file__).parent
_REDIS_START_SECONDS = 15.0
#: Meant for the process that runs the test, not for those of the storm.
_NOT_INHERITED = ("OUTRIDER_", "CELERY_", "CHAOS_")


class Lab:
    """A folder with one Redis server, whose append-only file is written before each answer."""

    def __init__(self, folder: Path) -> None:
        """Name the places; nothing is started yet."""
        self.folder = folder
        self.starts = folder / "starts.log"
        self.jobs = folder / "jobs"
        socket = folder / "redis.sock"
        self.redis_url = f"unix://{socket}?db=0"
        self.redis = redis.Redis.from_url(self.redis_url, protocol=2, socket_timeout=5, decode_responses=True)
        words = ["--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", ""]
        words += ["--appendonly", "yes", "--appendfsync", "always"]
        self._redis_words = [find_redis_server(), *words]
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The variables of producers, workers and, but for those of Outrider, programs."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(_NOT_INHERITED)}
        return inherited | {
            "CHAOS_STARTS": str(self.starts),
            "PYTHONPATH": str(_HERE),
            "OUTRIDER_BROKER_URL": self.redis_url,
            "OUTRIDER_PROJECT": str(self.folder),
            "OUTRIDER_WORK_ROOT": str(self.jobs),
            "OUTRIDER_TASKS": "chaos_tasks",
            "OUTRIDER_LEASE": "3s",
            "OUTRIDER_CRASH_LIMIT": "50",
            "OUTRIDER_VISIBILITY_TIMEOUT": "5s",
            "OUTRIDER_CONNECT_TIMEOUT": "2s",
            "OUTRIDER_DRAIN_TIMEOUT": "4s",
            "OUTRIDER_GRACE": "1s",
            "OUTRIDER_HEARTBEAT_INTERVAL": "0.5s",
        }

    @property
    def mark(self) -> bytes:
        """What stands in the environment of every process of this lab, and of no other."""
        return f"CHAOS_STARTS={self.starts}".encode()

    def spawn(self, words: list[str], log: Path) -> "subprocess.Popen[bytes]":
        """Start a process of the storm, in a session of its own; what it says goes to the end of the log."""
        with log.open("ab") as output:
            return subprocess.Popen(
                words,
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def start_redis(self) -> None:
        """Start the server on what the last one left, and return when it answers."""
        self._server = self.spawn(self._redis_words, self.folder / "redis.log")
        poll(self._redis_answers, _REDIS_START_SECONDS, "redis-server answers")

    def kill_redis(self) -> None:
        """Kill the server without a word."""
        self.redis.connection_pool.disconnect()
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def _redis_answers(self) -> bool:
        try:
            return bool(self.redis.ping())
        except redis.RedisError:
            return False


def poll(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: saying what did not come to hold.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s in vain until {what}")
        time.sleep(0.02)
