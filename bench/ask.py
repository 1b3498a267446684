"""A producer in a fresh process: `python ask.py SIDE QUESTION COUNT`; the answer is JSON.

Imports, connections and the first jobs come before the clock starts.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import redis
from command_counts import count_commands
from producer import LINE_PERIOD, SLOW_PERIOD, Producer

__all__ = ["answer"]

_WARM_UP_JOBS = 5
_FLOODS = 3
#: The queue that our worker takes from.
_OUR_QUEUE = "outrider"
_WITHOUT_WORKER = frozenset({"submit", "submit-many"})


def answer(producer: Producer, question: str, count: int) -> Any:
    """Return seconds, one number for each thing timed; counts per job for `commands`."""
    questions: dict[str, Callable[[Producer, int], Any]] = {
        "jobs": lambda producer, count: [_seconds(lambda: producer.run_many(count))],
        "latency": lambda producer, count: [_seconds(producer.run_one) for _ in range(count)],
        "chain": lambda producer, count: [_seconds(producer.run_chain) for _ in range(count)],
        "chain-by-queue": lambda producer, count: [
            _seconds(lambda: producer.run_chain(_OUR_QUEUE)) for _ in range(count)
        ],
        "naps": lambda producer, count: [_seconds(lambda: producer.submit_naps(count))],
        "flood": lambda producer, size: [producer.flood(size) for _ in range(_FLOODS)],
        "commands": _commands,
        "line-commands": _commands_per_line,
        "report-commands": _commands_per_report,
        "listen": lambda producer, count: producer.listen(count, LINE_PERIOD),
        "torrent": _torrent,
        "chatter": lambda producer, count: [_seconds(lambda: producer.submit_chatter(count))],
        "submit": lambda producer, count: [_seconds(lambda: [producer.submit_one() for _ in range(count)])],
        "submit-many": lambda producer, count: [_seconds(lambda: producer.submit_many(count))],
    }
    for _ in range(_WARM_UP_JOBS):
        if question in _WITHOUT_WORKER:
            producer.submit_one()
        else:
            producer.run_one()
    return questions[question](producer, count)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _torrent(producer: Producer, count: int) -> list[float]:
    arrived: list[float] = []
    return [_seconds(lambda: arrived.extend(producer.listen(count, 0))), len(arrived)]


def _commands(producer: Producer, count: int) -> dict[str, Any]:
    return _counts(count, lambda: producer.run_many(count), time.sleep)


def _commands_per_line(producer: Producer, count: int) -> dict[str, Any]:
    """Compare with a program that prints one line and is silent for as long: half of its period."""
    more = count - 1
    return _counts(more, lambda: producer.listen(count, SLOW_PERIOD), lambda s: producer.listen(1, int(2000 * s)))


def _commands_per_report(producer: Producer, count: int) -> dict[str, Any]:
    return _counts(count, lambda: producer.hear_reports(count), lambda _: producer.hear_reports(0))


def _counts(count: int, work: Callable[[], object], rest: Callable[[float], object]) -> dict[str, Any]:
    """Count what `work` costs more than a `rest` of as many seconds, `count`-th part."""
    server = redis.Redis.from_url(os.environ["BENCH_REDIS_URL"], decode_responses=True)
    lengths: list[float] = []
    counts = count_commands(server, count, lambda: lengths.append(_seconds(work)), lambda: rest(lengths[0]))
    return counts.model_dump()


if __name__ == "__main__":
    side, question, count = sys.argv[1:]
    print(json.dumps(answer(importlib.import_module(f"{side}_producer").producer, question, int(count))))
