"""From a task to an open record and a message in the queue, once, whatever gets lost on the way."""

import functools
import time
from collections.abc import Sequence

from ..communicators import Bounds, Command, JobSpec, JobState, RedisClient, commands
from ..config import Settings, broker_url, shown
from ..config.errors import BrokerUnavailable, IdempotencyKeyReused, QueueFull, SubmitError
from .enqueuer import Enqueuer
from .submit_options import SubmitOptions

__all__ = ["Submission"]

#: Between two tries to get a place in a full queue.
_FULL_PAUSE_SECONDS = 0.05


class Submission:
    """How the jobs of one client get into the ledger and the queue."""

    def __init__(self, settings: Settings, ledger: RedisClient, bounds: Bounds) -> None:
        """Remember where to ask; nothing is connected yet."""
        self._settings = settings
        self._ledger = ledger
        self._bounds = bounds
        self._connect_seconds = settings.connect_timeout.total_seconds()

    @functools.cached_property
    def _enqueuer(self) -> Enqueuer:
        return Enqueuer(broker_url(self._settings), self._ledger, self._bounds, self._connect_seconds)

    def hand_over(self, spec: JobSpec, options: SubmitOptions) -> str:
        """Open a job's record, send its message, and return its id, or that of the first job with the options' key.

        Raises:
            IdempotencyKeyReused, QueueFull, BrokerUnavailable: see `Client.submit`.
        """
        job_id = self._open(spec, options)
        if job_id == spec.id:
            self._enqueuer.enqueue(spec, options.idempotency_key)
        else:
            self._find_again(spec, job_id, options.idempotency_key or "")
        return job_id

    def hand_over_many(self, specs: Sequence[JobSpec]) -> None:
        """Open all records in one round trip, and send their messages.

        Raises:
            SubmitError: when not all were accepted; those before the first refused one are enqueued, and the error has
                their ids as a note.
        """
        answers = self._ledger.run_many([self._opening(spec, None) for spec in specs])
        accepted: list[str] = []
        try:
            for spec, answer in zip(specs, answers, strict=True):
                if isinstance(answer, Exception):
                    raise answer  # noqa: TRY301 - handled with what publishing raises
                self._enqueuer.enqueue(spec)
                accepted.append(spec.id)
        except Exception as problem:
            for spec in specs[len(accepted) :]:
                self._enqueuer.withdraw(spec, problem)
            url = shown(self._ledger.url)
            error = problem if isinstance(problem, SubmitError) else BrokerUnavailable(url, str(problem))
            error.add_note(f"enqueued before that: {accepted}")
            raise error from problem

    def _open(self, spec: JobSpec, options: SubmitOptions) -> str:
        """Open the record; while the queue is full, again and again for as long as the options say."""
        give_up = time.monotonic() + (options.timeout or 0.0)
        while True:
            try:
                return self._open_once(spec, options.idempotency_key)
            except QueueFull:
                over = options.timeout is not None and time.monotonic() >= give_up
                if not options.block or over:
                    raise
                time.sleep(_FULL_PAUSE_SECONDS)

    def _open_once(self, spec: JobSpec, idempotency_key: str | None) -> str:
        """Open the record. Asking twice is asking once: the first answer may be lost, or our idea of the time old."""
        try:
            return self._ledger.run(self._opening(spec, idempotency_key))
        except (BrokerUnavailable, TimeoutError):
            self._ledger.forget_server_time()
        try:
            return self._ledger.run(self._opening(spec, idempotency_key))
        except TimeoutError as error:
            raise BrokerUnavailable(shown(self._ledger.url), str(error)) from error

    def _find_again(self, spec: JobSpec, job_id: str, key: str) -> None:
        """Make sure that the key's job is the one that is asked for, and that it is in the queue if it waits."""
        first = self._ledger.run(commands.read_record(job_id))
        if (first.spec.task, first.spec.parameters) != (spec.task, spec.parameters):
            raise IdempotencyKeyReused(key, job_id, first.spec.task)
        if first.state is JobState.QUEUED:  # its producer may have died before it sent the message; a second is dropped
            self._enqueuer.enqueue(first.spec, key)

    def _opening(self, spec: JobSpec, idempotency_key: str | None) -> Command[str]:
        deadline = self._ledger.server_time_ms() + int(self._connect_seconds * 1000)
        return commands.open_job(
            spec,
            self._bounds,
            deadline_ms=deadline,
            max_queued=self._settings.max_queued,
            idempotency_key=idempotency_key,
        )
