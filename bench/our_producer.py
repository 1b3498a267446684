"""Outrider as the benchmark uses it: the public functions, one call for many jobs where there is one."""

import time

from bench_tasklets import nothing
from bench_tasks import Flood, Nap, Nothing, Report, Talk
from producer import CHATTER_PERIOD, LINKS, NAP_SECONDS, TIMEOUT_SECONDS, Producer

import outrider

__all__ = ["producer"]


class OurProducer(Producer):
    """Submits tasks and waits by the ledger."""

    def run_one(self) -> None:
        """Run one job that does nothing."""
        outrider.submit(Nothing()).result(TIMEOUT_SECONDS)

    def run_chain(self, queue: str = "") -> None:
        """Run one job, and tasklets in its slot or on a queue."""
        call = outrider.TaskletCall.of(nothing.si(), queue=queue or None)
        outrider.submit(Nothing(), after=[call] * LINKS).result(TIMEOUT_SECONDS)

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

    def listen(self, count: int, period: int) -> list[float]:
        """Run a program that prints its clock, and watch its job."""
        seconds: list[float] = []
        for message in outrider.submit(Talk(count=count, period=period)).watch(TIMEOUT_SECONDS):
            if isinstance(message, outrider.LogLines):
                now = time.monotonic_ns()
                seconds += [(now - int(line)) / 1e9 for line in message.lines]
        return seconds

    def submit_chatter(self, count: int) -> None:
        """Submit jobs that print a line each `CHATTER_PERIOD`, and care no more."""
        lines = 1000 * NAP_SECONDS // CHATTER_PERIOD
        outrider.submit_many(Talk(count=lines, period=CHATTER_PERIOD) for _ in range(count))

    def hear_reports(self, count: int) -> int:
        """Run a first-party task that reports numbers, and watch its job."""
        messages = outrider.submit(Report(count=count)).watch(TIMEOUT_SECONDS)
        return sum(isinstance(message, outrider.Report) for message in messages)


producer = OurProducer()
