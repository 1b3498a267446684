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
from producer import Producer

__all__ = ["answer"]

_WARM_UP_JOBS = 5
_FLOODS = 3
_WITHOUT_WORKER = frozenset({"submit", "submit-many"})


def answer(producer: Producer, question: str, count: int) -> Any:
    """Return seconds, one number for each thing timed; counts per job for `commands`."""
    questions: dict[str, Callable[[Producer, int], Any]] = {
        "jobs": lambda producer, count: [_seconds(lambda: producer.run_many(count))],
        "latency": lambda producer, count: [_seconds(producer.run_one) for _ in range(count)],
        "naps": lambda producer, count: [_seconds(lambda: producer.submit_naps(count))],
        "flood": lambda producer, size: [producer.flood(size) for _ in range(_FLOODS)],
        "commands": _commands,
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


def _commands(producer: Producer, count: int) -> dict[str, Any]:
    server = redis.Redis.from_url(os.environ["BENCH_REDIS_URL"], decode_responses=True)
    length = _seconds(lambda: producer.run_many(count))
    counts = count_commands(server, count, lambda: producer.run_many(count), lambda: time.sleep(length))
    return counts.model_dump()


if __name__ == "__main__":
    side, question, count = sys.argv[1:]
    print(json.dumps(answer(importlib.import_module(f"{side}_producer").producer, question, int(count))))
