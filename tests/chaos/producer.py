"""A producer of the storm: `producer.py NAME JOBS SECONDS JOURNAL`. It submits, cancels some, and takes all results.

Whatever Redis does, it goes on; a submission that failed is made again with the same idempotency key.
"""

import random
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from chaos_tasks import Digest, Manner
from journal import Entry

import outrider
from outrider import BrokerUnavailable, Job, JobError, WaitTimeout

__all__: list[str] = []

#: How long a job may take once all were submitted.
PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.2
_CANCELLED_SHARE = 0.08
_WEIGHTS = {Manner.PLAIN: 10, Manner.FORK: 4, Manner.ESCAPE: 3, Manner.DEAF: 2, Manner.FAIL: 1}


class Producer:
    """Submits its jobs evenly over a time, while threads wait for the results."""

    def __init__(self, name: str, jobs: int, seconds: float) -> None:
        self._name = name
        self._jobs = jobs
        self._seconds = seconds
        self._choice = random.Random(name)
        self._entries: list[Future[Entry]] = []
        self._deadline = time.monotonic() + seconds + PATIENCE_SECONDS

    def run(self) -> Iterator[Entry]:
        """Yield what became of each job."""
        begun = time.monotonic()
        with ThreadPoolExecutor(16) as threads:
            for number in range(self._jobs):
                time.sleep(max(begun + number * self._seconds / self._jobs - time.monotonic(), 0))
                task = self._task(number)
                job, failures = self._submit(task, f"{self._name}-{number}")
                if cancelled := self._choice.random() < _CANCELLED_SHARE:
                    threading.Timer(self._choice.uniform(0, 2), self._cancel, [job]).start()
                known = Entry(job_id=job.id, task=task, cancelled=cancelled, failed_submits=failures)
                self._entries.append(threads.submit(self._collect, job, known))
            for entry in self._entries:
                yield entry.result()

    def _task(self, number: int) -> Digest:
        manner = self._choice.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        seconds = round(self._choice.uniform(0.2, 1.5), 2)
        return Digest(number=self._choice.randrange(10**9) + number, seconds=seconds, manner=manner)

    def _submit(self, task: Digest, key: str) -> tuple[Job[str], int]:
        failures = 0
        while True:
            try:
                return outrider.submit(task, idempotency_key=key), failures
            except BrokerUnavailable:
                failures += 1
                if time.monotonic() > self._deadline:
                    raise
                time.sleep(_PAUSE_SECONDS)

    def _cancel(self, job: Job[str]) -> None:
        while time.monotonic() < self._deadline:
            try:
                job.cancel()
            except BrokerUnavailable:
                time.sleep(_PAUSE_SECONDS)
            else:
                return

    def _collect(self, job: Job[str], known: Entry) -> Entry:
        """Wait for the result, and go on when Redis does not answer."""
        while True:
            try:
                result = job.result(timeout=max(self._deadline - time.monotonic(), 0))
            except BrokerUnavailable:
                time.sleep(_PAUSE_SECONDS)
            except (JobError, WaitTimeout) as error:
                return known.model_copy(update={"error": f"{type(error).__name__}: {error}"})
            else:
                return known.model_copy(update={"result": result})


def main() -> None:
    """Run one producer, and write its journal at the end."""
    name, jobs, seconds, journal = sys.argv[1:]
    entries = Producer(name, int(jobs), float(seconds)).run()
    Path(journal).write_text("".join(entry.model_dump_json() + "\n" for entry in entries))


if __name__ == "__main__":
    main()
