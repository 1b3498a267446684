"""From the queue into the slots: which job is carried out when."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta

from ...communicators import JobState, MemoryLedger, Outcome
from ...config.errors import LedgerError
from ...worker import LocalHost, Released, Work

__all__ = ["Dispatcher"]

_ENDS = tuple(state for state in JobState if state.is_terminal)
logger = logging.getLogger(__name__)


class Dispatcher:
    """Has a host carry out jobs in the order of their submission, so many at once, and again after a pause if they want."""

    def __init__(self, host: LocalHost, ledger: MemoryLedger, slots: int) -> None:
        """Begin with nothing to do."""
        self._host = host
        self._ledger = ledger
        self._slots = slots
        self._busy = 0
        #: The jobs that have got a slot; some may not be claimed yet.
        self._begun: set[str] = set()
        self._closed = False
        #: What carries out each job that is open.
        self._work: dict[str, Work] = {}
        self._waiting: deque[str] = deque()
        self._attempts: set[asyncio.Task[None]] = set()
        #: Of jobs that wait: the end of their patience, or of the pause before another attempt.
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._ended = asyncio.Event()

    def put(self, job_id: str, work: Work, patience: timedelta | None) -> None:
        """Take a queued job; after its patience it is timed out, if it was not begun."""
        self._work[job_id] = work
        if patience is not None:
            self._later(patience, job_id, self._give_up)
        self._enqueue(job_id)

    @property
    def room(self) -> int:
        """How many jobs are queued, or may be, that need not wait: slots are free for them."""
        begun = sum(self._state(job_id) is JobState.QUEUED for job_id in self._begun)
        return begun + max(self._slots - self._busy - len(self._waiting), 0)

    def note_end(self) -> None:
        """Take note that some job has ended."""
        self._ended.set()

    def open_jobs(self) -> list[str]:
        """Return the jobs that have not ended."""
        return [job_id for job_id in self._work if not self._state(job_id).is_terminal]

    def close(self) -> None:
        """Begin nothing more, and close the jobs that wait."""
        self._closed = True
        self._close_queued("cancelled before it started: its coordinator was shut down")

    async def all_ended(self, timeout: float) -> None:
        """Wait so many seconds until no job is open; after `close`: what would be attempted again is not."""
        deadline = time.monotonic() + timeout
        while self.open_jobs():
            self._ended.clear()
            ended = asyncio.create_task(self._ended.wait())
            left = max(deadline - time.monotonic(), 0.0)
            done, _ = await asyncio.wait({ended, *self._attempts}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            self._close_queued("its coordinator was shut down before another attempt")
            if not done:
                return

    async def end(self, timeout: float) -> None:
        """Let attempts whose jobs have ended tidy up, and leave behind what does not end in so many seconds."""
        for timer in self._timers.values():
            timer.cancel()
        if self._attempts:
            await asyncio.wait(self._attempts, timeout=timeout)
        for attempt in self._attempts:
            attempt.cancel()

    def _enqueue(self, job_id: str) -> None:
        self._waiting.append(job_id)
        self._fill_slots()

    def _fill_slots(self) -> None:
        while self._waiting and self._busy < self._slots and not self._closed:
            job_id = self._waiting.popleft()
            if self._state(job_id) is JobState.QUEUED:
                self._stop_timer(job_id)
                self._busy += 1
                self._begun.add(job_id)
                attempt = asyncio.create_task(self._carry_out(job_id))
                self._attempts.add(attempt)
                attempt.add_done_callback(self._attempts.discard)
            else:
                self._forget(job_id)

    async def _carry_out(self, job_id: str) -> None:
        pause = timedelta(0)
        try:
            end = await self._host.carry_out(job_id, self._work[job_id], self._ledger)
            if isinstance(end, Released):
                pause = end.delay
        except LedgerError as refusal:  # it was cancelled just now
            logger.info("not carried out: %s", refusal, extra={"action": "job_refused", "job_id": job_id})
        except Exception:  # a defect of ours costs this job alone
            logger.exception("the host failed", extra={"action": "host_failed", "job_id": job_id})
            outcome = Outcome(state=JobState.LOST, error="its host failed; the log has the traceback")
            self._ledger.take_and_close(job_id, outcome)
        finally:
            self._busy -= 1
            self._begun.discard(job_id)
            if self._state(job_id) not in (JobState.QUEUED, *_ENDS):  # its host has given it up
                self._ledger.take_and_close(job_id, Outcome(state=JobState.LOST, error="its host has lost it"))
            if self._state(job_id).is_terminal:
                self._forget(job_id)
            elif not self._closed:  # it is queued again, whatever became of the one who has had it
                self._later(pause, job_id, self._enqueue)
            self._fill_slots()

    def _state(self, job_id: str) -> JobState:
        """Return where a job stands; one whose record has expired has ended long ago."""
        record = self._ledger.records.find(job_id)
        return JobState.LOST if record is None else record.state

    def _later(self, delay: timedelta, job_id: str, do: Callable[[str], None]) -> None:
        self._timers[job_id] = asyncio.get_running_loop().call_later(delay.total_seconds(), do, job_id)

    def _give_up(self, job_id: str) -> None:
        outcome = Outcome(state=JobState.TIMED_OUT, error="it waited in the queue longer than its limit")
        self._ledger.close_unclaimed(job_id, outcome)

    def _close_queued(self, why: str) -> None:
        if self._closed:
            for job_id in self.open_jobs():
                self._ledger.close_unclaimed(job_id, Outcome(state=JobState.CANCELLED, error=why))

    def _forget(self, job_id: str) -> None:
        self._work.pop(job_id, None)
        self._stop_timer(job_id)

    def _stop_timer(self, job_id: str) -> None:
        if (timer := self._timers.pop(job_id, None)) is not None:
            timer.cancel()
