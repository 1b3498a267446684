"""What the benchmark asks of a producer, whichever system has its programs run."""

from abc import ABC, abstractmethod

__all__ = ["NAP_SECONDS", "TIMEOUT_SECONDS", "Producer"]

#: No single wait of the benchmark is longer.
TIMEOUT_SECONDS = 120.0
#: Longer than anybody looks at sleeping programs.
NAP_SECONDS = 120


class Producer(ABC):
    """One way to have programs run. A job's end is the moment when its result is in the producer's hands."""

    @abstractmethod
    def run_one(self) -> None:
        """Run one job that does nothing."""

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
