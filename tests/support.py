"""What the fixtures are made of."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

TESTS = Path(__file__).parent
PROGRAMS = TESTS / "programs"


def eventually(condition: Callable[[], object], message: str, seconds: float = 15.0) -> object:
    """Poll until the condition holds and return what it gave; fail with the message when it never does."""
    deadline = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s: {message}")
        time.sleep(0.01)


def run_python(*words: str, cwd: Path, timeout: float, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the tests' settings, some of them changed, and return what it printed."""
    return subprocess.run(
        [sys.executable, *words],
        env={**os.environ, **variables},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@contextlib.contextmanager
def celery_events(handle: Callable[[dict[str, Any]], object]) -> Iterator[None]:
    """Hand all events of Celery to a function, as a monitor such as Flower gets them."""
    from outrider.worker import app

    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": handle})

        def listen() -> None:
            while not receiver.should_stop:
                with contextlib.suppress(TimeoutError):
                    receiver.capture(limit=None, timeout=0.2, wakeup=False)

        listening = threading.Thread(target=listen)
        listening.start()
        try:
            yield
        finally:
            receiver.should_stop = True
            listening.join(10)
            assert not listening.is_alive()


class RedisServer:
    """A redis-server of our own, on a Unix socket and a loopback port."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}?db=0"
        self.options = options
        self.process: subprocess.Popen[bytes] | None = None
        self.client = redis.Redis.from_url(self.url, socket_timeout=20)

    def start(self) -> "RedisServer":
        from outrider.config import find_redis_server

        words = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen(
            [find_redis_server(), *words, *self.options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        eventually(self._answers, "redis-server answers")
        return self

    def _answers(self) -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(self.client.ping())
        return False

    def stop(self) -> None:
        self.client.connection_pool.disconnect()
        if self.process:
            self.process.kill()
            self.process.wait()


class Worker:
    """A real worker process."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, name: str) -> None:
        self.process = process
        self.log = log
        self.name = name

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def need_program(name: str, package: str) -> None:
    """Skip a test whose program is not installed; in CI that is a failure."""
    if shutil.which(name) is None:
        reason = f"{name} is not installed (Debian: apt-get install {package})"
        pytest.fail(reason) if "CI" in os.environ else pytest.skip(reason)
