"""Plain Celery as the benchmark uses it: `apply_async` and `get`."""

import time
from typing import Any

import plain_celery
from celery import chain
from producer import CHATTER_PERIOD, LINKS, NAP_SECONDS, TIMEOUT_SECONDS, Producer

__all__ = ["producer"]


class PlainProducer(Producer):
    """Submits plain tasks and waits by the result backend."""

    def run_one(self) -> None:
        """Run one job that does nothing."""
        plain_celery.nothing.apply_async().get(timeout=TIMEOUT_SECONDS)

    def run_chain(self, queue: str = "") -> None:
        """Run a chain of one task and links."""
        links = [plain_celery.link.si().set(queue=queue or None) for _ in range(LINKS)]
        chain(plain_celery.nothing.si(), *links).apply_async().get(timeout=TIMEOUT_SECONDS)

    def run_many(self, count: int) -> None:
        """Run many jobs that do nothing; `ResultSet.join_native` would take some 0.3 s longer, however few they are."""
        for result in [plain_celery.nothing.apply_async() for _ in range(count)]:
            result.get(timeout=TIMEOUT_SECONDS)

    def submit_one(self) -> None:
        """Submit one job that does nothing, and care no more."""
        plain_celery.nothing.apply_async()

    def submit_many(self, count: int) -> None:
        """Submit many such jobs through kombu's batch, which sends them in one pipeline."""
        with plain_celery.app.producer_pool.acquire(block=True) as messenger, messenger.batch():
            for _ in range(count):
                plain_celery.nothing.apply_async(producer=messenger)

    def submit_naps(self, count: int) -> None:
        """Submit jobs that sleep for `NAP_SECONDS`, and care no more."""
        for _ in range(count):
            plain_celery.nap.apply_async((NAP_SECONDS,))

    def flood(self, size: int) -> float:
        """Run a program that writes `size` bytes into the task's memory, and return its seconds as the task saw them."""
        seconds: float = plain_celery.flood.apply_async((size,)).get(timeout=TIMEOUT_SECONDS)
        return seconds

    def listen(self, count: int, period: int) -> list[float]:
        """Run a program that prints its clock, and have `get` call us for each state, which comes by PUBLISH."""
        seconds: list[float] = []

        def take(state: dict[str, Any]) -> None:
            if state["status"] == "PROGRESS":
                seconds.append((time.monotonic_ns() - int(state["result"]["line"])) / 1e9)

        plain_celery.talk.apply_async((count, period)).get(timeout=TIMEOUT_SECONDS, on_message=take)
        return seconds

    def submit_chatter(self, count: int) -> None:
        """Submit jobs that print a line each `CHATTER_PERIOD`, and care no more."""
        for _ in range(count):
            plain_celery.talk.apply_async((1000 * NAP_SECONDS // CHATTER_PERIOD, CHATTER_PERIOD))

    def hear_reports(self, count: int) -> int:
        """Run a task that tells numbers as states, and have `get` call us for each."""
        values: list[int] = []

        def take(state: dict[str, Any]) -> None:
            if state["status"] == "PROGRESS":
                values.append(state["result"]["value"])

        plain_celery.report.apply_async((count,)).get(timeout=TIMEOUT_SECONDS, on_message=take)
        return len(values)


producer = PlainProducer()
