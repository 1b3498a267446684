"""Functions that are no tasks, for tests of what becomes of them in each strategy."""

import asyncio
import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from outrider import current_channel


@dataclass
class Reading:
    place: str
    values: np.ndarray


def reading() -> Reading:
    return Reading("there", np.arange(3))


async def slowly_doubled(number: int) -> int:
    await asyncio.sleep(0.01)
    return 2 * number


class Adds:
    """An object that can be called."""

    def __init__(self, left: int, right: int) -> None:
        self.left, self.right = left, right

    def __call__(self) -> int:
        return self.left + self.right


def says(count: int) -> str:
    channel = current_channel()
    for number in range(count):
        channel.progress(number + 1, count, "steps")
        channel.report({"number": number, "array": np.full(2, number)})
    Path(f"/tmp/kept-{os.getpid()}.txt").write_text("kept\n")
    channel.artifact(f"/tmp/kept-{os.getpid()}.txt", "kept.txt")
    Path(f"/tmp/kept-{os.getpid()}.txt").unlink()
    return "said"


async def says_on_a_loop() -> str:
    current_channel().progress(1, 2)
    await asyncio.sleep(0)
    current_channel().report("half")
    return "said"


def ends(how: str) -> Any:  # noqa: C901 - one line a way
    match how:
        case "raise":
            raise ValueError("no frames")
        case "exit":
            raise SystemExit(7)
        case "interrupt":
            raise KeyboardInterrupt
        case "bad result":
            return threading.Lock()
        case "bad words":
            raise SaysNothing
        case "crash":
            ctypes.string_at(0)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "leave":
            os._exit(3)
    return None


class SaysNothing(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def promises_a_number() -> int:
    return "none"  # type: ignore[return-value]


def sleeps(seconds: float = 60.0) -> None:
    time.sleep(seconds)


async def sleeps_on_a_loop(seconds: float = 60.0) -> None:
    await asyncio.sleep(seconds)


def computes(seconds: float = 60.0) -> None:
    """Ask nobody, and wait for nothing."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(1000))


def holds_the_interpreter(seconds: int = 60) -> None:
    """Let no other Python of this process run."""
    ctypes.PyDLL(None).sleep(seconds)


def insists(seconds: float = 60.0) -> None:
    """Go on whatever is raised."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            time.sleep(0.05)
        except BaseException:  # noqa: BLE001 - that is what it is for
            continue


async def insists_on_a_loop(seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            await asyncio.sleep(0.05)
        except BaseException:  # noqa: BLE001 - that is what it is for
            continue


def looks(file: str) -> str:
    """End by itself once it is cancelled."""
    channel = current_channel()
    Path(file).touch()
    while not channel.cancelled:
        time.sleep(0.01)
    Path(file).write_text("ended by itself")
    return "late"


def listens() -> list[Any]:
    found = []
    current_channel().report("ready")
    for value in current_channel().messages():
        if value == "end":
            break
        found.append(value)
    return found


def starts_others(file: str) -> None:
    """Start a process in a session of its own, and wait."""
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    Path(file).write_text(f"{other.pid}\n{os.getpid()}\n")
    time.sleep(60)


def pid() -> int:
    return os.getpid()


def variable(name: str, value: str) -> str | None:
    before = os.environ.get(name)
    os.environ[name] = value
    return before


def descriptors_of(_who: str) -> list[str]:
    """Return what a process that is started without care inherits."""
    found = subprocess.run(["sh", "-c", "ls /proc/$$/fd"], close_fds=False, capture_output=True, text=True, check=True)
    return sorted(found.stdout.split())


def flees() -> None:
    os.setsid()
    time.sleep(60)


def forks(file: str) -> None:
    """Fork a process that would live on, and wait."""
    other = multiprocessing.get_context("fork").Process(target=flees)
    other.start()
    Path(file).write_text(f"{other.pid}")
    time.sleep(60)


def spoils_signals(how: str) -> None:
    match how:
        case "default":
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        case "ignored":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        case "blocked":
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def hurries_and_waits(count: int) -> None:
    for number in range(count):
        current_channel().progress(number + 1, count)
    time.sleep(60)


async def listens_on_a_loop() -> Any:
    return next(current_channel().messages())


def chatters_on(seconds: float) -> None:
    """Say something again and again, whatever is raised."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            current_channel().report("more")
        except BaseException:  # noqa: BLE001 - that is what it is for
            continue


class Busy:
    def __del__(self) -> None:
        sum(range(3000))


def lives_in_destructors() -> None:
    """Be half of the time where Python ignores what is raised."""
    while True:
        Busy()
        sum(range(3000))
