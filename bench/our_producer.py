"""Outrider as the benchmark uses it: the public functions, one call for many jobs where there is one."""

from bench_tasks import Flood, Nap, Nothing
from producer import NAP_SECONDS, TIMEOUT_SECONDS, Producer

import outrider

__all__ = ["producer"]


class OurProducer(Producer):
    """Submits tasks and waits by the ledger."""

    def run_one(self) -> None:
        """Run one job that does nothing."""
        outrider.submit(Nothing()).result(TIMEOUT_SECONDS)

    def run_many(self, count: int) -> None:
        """Run many jobs that do nothing."""
        jobs = outrider.submit_many(Nothing() for _ in range(count))
        for job in outrider.as_completed(jobs, TIMEOUT_SECONDS):
            job.result(TIMEOUT_SECONDS)

    def submit_one(self) -> None:
        """Submit one job that does nothing, and care no more."""
        outrider.submit(Nothing())

    def submit_many(self, count: int) -> None:
        """Submit many such jobs at once."""
        outrider.submit_many(Nothing() for _ in range(count))

    def submit_naps(self, count: int) -> None:
        """Submit jobs that sleep for `NAP_SECONDS`, and care no more."""
        outrider.submit_many(Nap(seconds=NAP_SECONDS) for _ in range(count))

    def flood(self, size: int) -> float:
        """Run a program that writes `size` bytes to the job's log, and return its seconds as the record has them."""
        ended = outrider.submit(Flood(size=size)).wait(TIMEOUT_SECONDS).exit
        if ended is None or not ended.ok:
            raise SystemExit(f"the flood ended as {ended}")
        return ended.elapsed_seconds


producer = OurProducer()
