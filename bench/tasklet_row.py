"""The rows about what a tasklet costs that does nothing.

In a process of its own, beside the plain call; and in a job, in its slot or on a queue, beside a link in a chain of plain
Celery's.
"""

import asyncio
import os
import statistics
import sys
import time
from datetime import timedelta

from bench_tasklets import nothing, sleeps
from lab import Lab, Side
from producer import LINKS
from speed import SLOTS, percentile
from table import Aim, Row

from outrider.worker.sweeper import Sweeper
from outrider.worker.tasklet_call import TaskletEnd, TaskletRequest
from outrider.worker.tasklet_pool import TaskletPool

__all__ = ["tasklets"]

_WORKER = "bench"
_PLAIN_CALLS = 10_000


def tasklets(lab: Lab) -> list[Row]:
    """Time calls from the worker's loop until the answer is there."""
    plain = _plain_milliseconds()
    times = asyncio.run(_in_the_pool(lab))
    aims = {"warm, median": Aim.at_most(10, "ms"), "the first, with the start": Aim.at_most(1000, "ms")}
    alone = [
        Row(
            name=f"a tasklet that does nothing, {name}; beside the plain call",
            unit="ms",
            ours=taken,
            plain=plain,
            compared=taken - plain,
            compared_as="ms",
            aim=aims.get(name),
        )
        for name, taken in times.items()
    ]
    return alone + _in_a_job(lab)


def _in_a_job(lab: Lab) -> list[Row]:
    """Compare jobs with links behind them and without, one after the other on an idle worker."""
    jobs, median = lab.scaled(60, 15), percentile(50)

    def per_link(side: Side, question: str) -> float:
        with lab.worker(side, SLOTS):
            alone, chained = (median(lab.seconds(side, one, jobs)) for one in ("latency", question))
        return (chained - alone) / LINKS

    count = lab.scaled(5, 1)
    in_slot = lab.rounds(lambda side: per_link(side, "chain"), count)
    by_queue = [(per_link(Side.OURS, "chain-by-queue"), plain) for _, plain in in_slot]
    return [
        _cost_row("a tasklet in a job's slot; beside a link of a chain", in_slot, Aim.at_most(10, "ms")),
        _cost_row("a tasklet that a job sends to a queue; beside a link", by_queue),
    ]


def _cost_row(name: str, rounds: list[tuple[float, float]], aim: Aim | None = None) -> Row:
    ours, plain = (statistics.median(costs) for costs in zip(*rounds, strict=True))
    return Row(name=name, unit="ms", ours=ours, plain=plain, compared=ours, compared_as="ms", aim=aim)


async def _in_the_pool(lab: Lab) -> dict[str, float]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OUTRIDER_")}
    pool = TaskletPool(["bench_tasklets"], environment, _WORKER, Sweeper(_WORKER))
    idle = TaskletRequest(name=nothing.name, directory=lab.folder, folder=lab.folder)
    stuck = TaskletRequest(name=sleeps.name, args=(60,), directory=lab.folder, folder=lab.folder)
    stuck = stuck.model_copy(update={"time_limit": timedelta(seconds=0.05)})
    try:
        first = await _milliseconds(pool, idle)
        warm = sorted([await _milliseconds(pool, idle) for _ in range(lab.scaled(500, 100))])
        after = []
        for _ in range(lab.scaled(10, 3)):
            if (await pool.run(stuck)).ended is not TaskletEnd.TIMED_OUT:
                sys.exit("the tasklet was not ended")
            after.append(await _milliseconds(pool, idle))
    finally:
        await pool.close()
    return {
        "warm, median": statistics.median(warm),
        "warm, 99 of 100 are quicker": warm[len(warm) * 99 // 100],
        "after one that was killed at its limit": statistics.median(after),
        "the first, with the start": first,
    }


async def _milliseconds(pool: TaskletPool, request: TaskletRequest) -> float:
    begun = time.perf_counter()
    if not (answer := await pool.run(request)).ok:
        sys.exit(f"the tasklet failed: {answer.error}")
    return 1000 * (time.perf_counter() - begun)


def _plain_milliseconds() -> float:
    begun = time.perf_counter()
    for _ in range(_PLAIN_CALLS):
        nothing()
    return 1000 * (time.perf_counter() - begun) / _PLAIN_CALLS
