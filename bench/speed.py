"""Rows about speed: jobs per second, latency, submission."""

import statistics
from collections.abc import Callable

from lab import Lab, Side
from table import Aim, Row, ratio_row

__all__ = ["SLOTS", "jobs_per_second", "latency", "percentile", "submit_rate"]

#: Slots of a worker where nothing else is said: one per processor of the smallest machine that we care about.
SLOTS = 2


def jobs_per_second(lab: Lab) -> list[Row]:
    """Run 1,000 jobs that do nothing, from the first submission to the last result."""
    jobs = lab.scaled(1000, 200)

    def rate(side: Side) -> float:
        with lab.worker(side, SLOTS):
            return jobs / lab.seconds(side, "jobs", jobs)[0]

    rounds = lab.rounds(rate, lab.scaled(5, 3))
    return [ratio_row(f"{jobs:,} jobs of /bin/true, {SLOTS} slots", "jobs/s", rounds, Aim.at_least(0.8, "times"))]


def latency(lab: Lab) -> list[Row]:
    """Run one job after the other on an idle worker, each from its submission to its result."""
    jobs = lab.scaled(200, 60)

    def times(side: Side) -> list[float]:
        with lab.worker(side, SLOTS):
            return lab.seconds(side, "latency", jobs)

    rounds = lab.rounds(times, lab.scaled(5, 3))
    rows: list[Row] = []
    for percent in (50, 95):
        pick = percentile(percent)
        pairs = [(pick(ours), pick(plain)) for ours, plain in rounds]
        rows.append(ratio_row(f"idle latency, submit to result, p{percent}", "ms", pairs, Aim.at_most(1.5, "times")))
    return rows


def submit_rate(lab: Lab) -> list[Row]:
    """Submit to a Redis that no worker reads from, one job at a time, and in the fastest way there is."""
    jobs = lab.scaled(1000, 200)

    def rate(side: Side, question: str) -> float:
        lab.clean()
        return jobs / lab.seconds(side, question, jobs)[0]

    count = lab.scaled(3, 1)
    one_by_one = lab.rounds(lambda side: rate(side, "submit"), count)
    at_once = lab.rounds(lambda side: rate(side, "submit-many"), count)
    return [ratio_row("submit, one by one", "jobs/s", one_by_one), ratio_row("submit_many", "jobs/s", at_once)]


def percentile(percent: int) -> Callable[[list[float]], float]:
    """Return what picks this percentile of some seconds, in milliseconds."""
    return lambda seconds: 1000 * statistics.quantiles(seconds, n=100)[percent - 1]
