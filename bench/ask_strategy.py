"""Jobs of one strategy in a fresh process: `python ask_strategy.py SIDE STRATEGY WORK COUNT`; the answer is JSON.

SIDE `our` submits to a coordinator; `plain` does the same work with what Python has for it, and nothing around it.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from bench_tasks import Nothing
from pydantic import BaseModel
from speed import SLOTS

import outrider

__all__ = ["Costs"]

_TIMEOUT_SECONDS = 120.0
_WARM_UP_JOBS = 20
_PROGRAM = "/bin/true"


class Costs(BaseModel):
    """What was found, in seconds."""

    #: Per job, of many submitted at once.
    each: float
    #: From submission to result, of jobs that come one after the other.
    alone: list[float]


@dataclass(frozen=True)
class Way:
    """One way to have work done."""

    #: Does it once, and returns when the result is there.
    one: Callable[[], Awaitable[object]]
    #: Does it so many times, all handed over at once.
    many: Callable[[int], Awaitable[object]]


async def nothing() -> None:
    """Do nothing, on an event loop."""


def plain_nothing() -> None:
    """Do nothing."""


async def run_program() -> None:
    """Run a program that does nothing, from an event loop."""
    process = await asyncio.create_subprocess_exec(_PROGRAM)
    await process.wait()


def plain_run_program() -> None:
    """Run a program that does nothing."""
    subprocess.run([_PROGRAM], check=True)


async def answer(side: str, strategy: str, work: str, count: int) -> Costs:
    """Return what the work costs."""
    if side == "our":
        return await _of_a_coordinator(strategy, work, count)
    if strategy == "asyncio":
        return await _costs(_on_the_loop(nothing if work == "function" else run_program), count)
    with ThreadPoolExecutor(SLOTS) if strategy == "thread" else ProcessPoolExecutor(SLOTS) as pool:
        return await _costs(_in_a_pool(pool, plain_nothing if work == "function" else plain_run_program), count)


async def _costs(way: Way, count: int) -> Costs:
    await way.many(_WARM_UP_JOBS)
    begun = time.perf_counter()
    await way.many(count)
    each = (time.perf_counter() - begun) / count
    alone = []
    for _ in range(count):
        begun = time.perf_counter()
        await way.one()
        alone.append(time.perf_counter() - begun)
    return Costs(each=each, alone=alone)


async def _of_a_coordinator(strategy: str, work: str, count: int) -> Costs:
    made: dict[str, Callable[[], outrider.TaskExecutionStrategy]] = {
        "asyncio": lambda: outrider.AsyncioExecutionStrategy(concurrency=SLOTS, max_queued=0),
        "thread": lambda: outrider.ThreadedExecutionStrategy(concurrency=SLOTS, max_queued=0),
        "process": lambda: outrider.ProcessExecutionStrategy(concurrency=SLOTS, max_queued=0),
        "celery": outrider.CeleryExecutionStrategy,
    }
    function = nothing if strategy == "asyncio" else plain_nothing
    async with outrider.Coordinator({strategy: made[strategy]()}) as coordinator:

        async def submit() -> outrider.CoordinatedJob[Any]:
            return await coordinator.submit(function if work == "function" else Nothing(), strategy)

        async def one() -> None:
            await (await submit()).result(_TIMEOUT_SECONDS)

        async def many(count: int) -> None:
            for job in [await submit() for _ in range(count)]:
                await job.result(_TIMEOUT_SECONDS)

        return await _costs(Way(one, many), count)


def _on_the_loop(work: Callable[[], Awaitable[None]]) -> Way:
    slots = asyncio.Semaphore(SLOTS)

    async def bounded() -> None:
        async with slots:
            await work()

    async def many(count: int) -> None:
        for task in [asyncio.create_task(bounded()) for _ in range(count)]:
            await task

    return Way(lambda: asyncio.create_task(bounded()), many)


def _in_a_pool(pool: Executor, work: Callable[[], None]) -> Way:
    async def one() -> None:
        pool.submit(work).result(_TIMEOUT_SECONDS)

    async def many(count: int) -> None:
        for done in [pool.submit(work) for _ in range(count)]:
            done.result(_TIMEOUT_SECONDS)

    return Way(one, many)


if __name__ == "__main__":
    _side, _strategy, _work, _count = sys.argv[1:]
    print(asyncio.run(answer(_side, _strategy, _work, int(_count))).model_dump_json())
