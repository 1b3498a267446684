"""What the benchmark asks of a producer, whichever system has its programs run."""

from abc import ABC, abstractmethod

__all__ = ["CHATTER_PERIOD", "LINE_PERIOD", "LINKS", "NAP_SECONDS", "SLOW_PERIOD", "TIMEOUT_SECONDS", "Producer"]

#: No single wait of the benchmark is longer.
TIMEOUT_SECONDS = 120.0
#: Longer than anybody looks at sleeping programs.
NAP_SECONDS = 120
#: Milliseconds between two lines of the program that is listened to, and of a chatty one.
LINE_PERIOD, CHATTER_PERIOD = 50, 5
#: How many links a chain has behind its job: enough for one of them to be measured by what they take together.
LINKS = 5
#: So slow that no two lines go together.
SLOW_PERIOD = 120


class Producer(ABC):
    """One way to have programs run. A job's end is the moment when its result is in the producer's hands."""

    @abstractmethod
    def run_one(self) -> None:
        """Run one job that does nothing."""

    @abstractmethod
    def run_chain(self, queue: str = "") -> None:
        """Run one job that does nothing, and `LINKS` links behind it that do nothing, on a queue if need be."""

    @abstractmethod
    def run_many(self, count: int) -> None:
        """Run many jobs that do nothing."""

    @abstractmethod
    def submit_one(self) -> None:
        """Submit one job that does nothing, and care no more."""

    @abstractmethod
    def submit_many(self, count: int) -> None:
        """Submit many such jobs, in the fastest way there is."""

    @abstractmethod
    def submit_naps(self, count: int) -> None:
        """Submit jobs that sleep for `NAP_SECONDS`, and care no more."""

    @abstractmethod
    def flood(self, size: int) -> float:
        """Run a program that writes `size` bytes, and return the program's own seconds from start to end."""

    @abstractmethod
    def listen(self, count: int, period: int) -> list[float]:
        """Run a program that prints its clock (see `talk.py`), and return each line's seconds from print to arrival."""

    @abstractmethod
    def submit_chatter(self, count: int) -> None:
        """Submit jobs that print a line each `CHATTER_PERIOD` for `NAP_SECONDS`, and care no more."""

    @abstractmethod
    def hear_reports(self, count: int) -> int:
        """Run Python code that reports numbers as fast as they are taken, and return how many arrived."""
