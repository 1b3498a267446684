"""First-party tasks for tests: Python code that says what it wants while it runs."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np

import outrider
from outrider import Output


@dataclass
class Peak:
    """What a task may report and return."""

    position: float
    profile: np.ndarray


class FindPeaks(outrider.Task):
    """Everything that a task can say, once."""

    count: int = 3

    def run(self) -> list[Peak]:
        self.log.info("looking for %d peaks", self.count)
        found = []
        for n in range(self.count):
            found.append(Peak(position=n / 2, profile=np.arange(n + 1, dtype=np.float32)))
            self.report(found[-1])
            self.progress(n + 1, self.count, "peaks")
        Path("table.txt").write_text("peaks\n")
        self.artifact("table.txt")
        return found


class Reports(outrider.Task):
    """It reports numbers, as fast as it can, and ends at once."""

    count: int

    def run(self) -> int:
        for n in range(self.count):
            self.report(n)
        return self.count


class Big(outrider.Task):
    """It returns an array of so many bytes."""

    size: int

    def run(self) -> np.ndarray:
        return np.arange(self.size // 8, dtype=np.int64).reshape(2, -1)


class Ends(outrider.Task):
    """It ends in a way that is no return."""

    how: str

    def run(self) -> Any:
        match self.how:
            case "raise":
                raise ValueError("no frames")
            case "exit":
                raise SystemExit(7)
            case "vanish":
                os._exit(0)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "unpicklable":
                return lambda: None
            case "wrong type":
                return None
        return None


class Listens(outrider.Task):
    """It adds up what it is sent until it is told to stop, or cancelled."""

    polls: bool = True

    def run(self) -> int:
        total = 0
        self.report("ready")
        while not (self.polls and self.cancelled):
            for value in self.messages(timeout=0.05):
                if isinstance(value, str):  # "stop"
                    return total
                total += int(np.sum(value))
                self.report(total)
        self.report("cancelled")
        return total


class Sleeps(outrider.Task):
    """It asks for nothing, and notes that it was interrupted."""

    mark: str

    def run(self) -> None:
        try:
            self.report("ready")
            time.sleep(60)
        except outrider.Cancelled:
            Path(self.mark).write_text("interrupted")
            raise


class Writes(outrider.Task):
    """It leaves a file."""

    text: str
    made: Annotated[Path, Output()] = Path("made.txt")

    def run(self) -> str:
        self.made.write_text(self.text)
        sys.stdout.write("printed\n")
        return self.text.upper()


@outrider.task
def add(left: int, right: int = 2) -> int:
    """Add two numbers."""
    return left + right


class Paced(outrider.Task):
    """It reports numbers with a pause between them, and prints as well."""

    count: int
    pause: float

    def run(self) -> None:
        for n in range(self.count):
            self.report(n)
            self.log.info("number %d", n)
            time.sleep(self.pause)


class Prints(outrider.Task):
    """It prints, and waits for a word."""

    def run(self) -> None:
        sys.stdout.write("printed\n")
        for _ in self.messages():
            return


class Undone(outrider.Task):
    """It says not what to do."""


def _slowly(value: Any) -> Any:
    time.sleep(0.8)
    return value


class SlowToRead:
    """Whoever reads it takes a while."""

    def __reduce__(self) -> Any:
        return _slowly, (1,)


class SaysMuchAtTheEnd(outrider.Task):
    """All of it is still to be read when the process has ended."""

    def run(self) -> int:
        for _ in range(3):
            self.report(SlowToRead())
        return 5


@dataclass(slots=True)
class Slotted:
    """It has a field that has no value."""

    value: int = field(init=False)


class ReportsBadly(outrider.Task):
    """One of its reports cannot be packed."""

    def run(self) -> int:
        self.report(Slotted())
        self.report("good")
        return 1


class RaisesMuch(outrider.Task):
    """Its last words are many."""

    def run(self) -> None:
        raise ValueError("x" * 5_000_000)


class SendsFiles(outrider.Task):
    """It sends files from several threads at once, each file many times."""

    threads: int = 4
    count: int = 25

    def run(self) -> None:
        with ThreadPoolExecutor(self.threads) as threads:
            list(threads.map(self._send, range(self.threads)))

    def _send(self, number: int) -> None:
        Path(f"of-{number}.txt").write_text(str(number) * 100_000)
        for n in range(self.count):
            self.artifact(f"of-{number}.txt", f"{n}/of-{number}/made.txt")


class SendsLongName(outrider.Task):
    """It sends a file under a name that no file can have."""

    name_sent: str

    def run(self) -> None:
        Path("a").write_text("content")
        self.artifact("a", self.name_sent)


@outrider.task
def greet(name: str, log: bool = False, version: int = 1, _mark: str = "!", limits: list[str] | None = None) -> str:
    """Say hello, with parameters that are called as what each task has."""
    return f"{name}{_mark} {log} {version} {limits}"


class OthersReport(outrider.Task):
    """It waits while other threads report all the time."""

    threads: int = 4

    def run(self) -> None:
        try:
            for _ in range(self.threads):
                threading.Thread(target=self._report_on, daemon=True).start()
            time.sleep(60)
        except outrider.Cancelled:
            Path("interrupted").touch()
            raise

    def _report_on(self) -> None:
        while True:
            self.report("x" * 1000)


class Forks(outrider.Task):
    """It forks a child that sleeps, terminates it, and returns the child's exit code."""

    def run(self) -> int | None:
        child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
        child.start()
        child.terminate()
        child.join(5)
        child.kill()
        return child.exitcode


class DestroysSlowly(outrider.Task):
    """It stands in a destructor when it is cancelled, and afterwards waits; cleaning up takes it a while."""

    def run(self) -> None:
        try:
            SlowToDestroy(self)  # it is destroyed at once
            time.sleep(60)
        except outrider.Cancelled:
            time.sleep(0.3)
            Path("cleaned up").touch()
            raise


class SlowToDestroy:
    def __init__(self, task: outrider.Task) -> None:
        self.task = task

    def __del__(self) -> None:
        self.task.report("destroying")
        time.sleep(60)


class MapsItself(outrider.Task):
    """It has other processes call its own method, which reports as well."""

    factor: int

    def run(self) -> list[int]:
        with multiprocessing.get_context("fork").Pool(2) as pool:
            return pool.map(self.times, range(5))

    def times(self, number: int) -> int:
        self.report(number)
        return number * self.factor


class SaysNothing(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class EndsBadly(outrider.Task):
    """It ends in a way that makes it hard to tell."""

    how: str

    def run(self) -> None:
        match self.how:
            case "wordless":
                raise SaysNothing
            case "not Unicode":
                raise ValueError("half a pair: \udcff")
            case "stderr closed":
                sys.stderr.close()
                raise ValueError("no frames")
            case "descriptors closed":
                os.closerange(3, 1000)


class Exits(outrider.Task):
    """It ends by `sys.exit`."""

    code: int | str | None

    def run(self) -> None:
        sys.exit(self.code)
