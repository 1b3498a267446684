"""The ledger's twin in memory: same rules, one process, no Redis."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from ..config.errors import DuplicateJob, IllegalTransition, JobClosed, QueueFull, Superseded, TooManyMessages
from .commands import Bounds
from .commands.producing import MOST_SENT
from .ledger import Ledger
from .memory_records import MemoryRecords
from .memory_stream import MemoryStream
from .messages import Finished, Heartbeat, Message, Progress, Stamp, StateChanged, TaskletEnded, UserMessage
from .outcome import Outcome
from .record import AttemptFacts, Claim, JobRecord, JobSpec, Provenance, RunFacts, Wanted, Wish
from .states import JobState, sources

__all__ = ["MemoryLedger"]


class MemoryLedger(Ledger):
    """Records of one process's jobs, for one event loop."""

    def __init__(self, bounds: Bounds | None = None, tell: Callable[[Message], None] | None = None) -> None:
        """Start with no jobs.

        Args:
            bounds: of records and streams; without, all is kept.
            tell: is told each message of each job as it is said; it neither blocks nor raises.
        """
        super().__init__()
        self.records = MemoryRecords(bounds)
        self._tell = tell
        self._sent: dict[str, list[UserMessage]] = {}
        self._cancelled_again: Counter[str] = Counter()

    @property
    def messages(self) -> dict[str, MemoryStream]:
        """All messages of a job, in order."""
        return self.records.messages

    def open(self, spec: JobSpec, *, max_queued: int = 0, idempotency_key: str | None = None) -> str:
        """Open a record in state `queued`, and return the job's id, or that of the first job with this idempotency key.

        Raises:
            QueueFull: when so many jobs are queued already.
            DuplicateJob: when there is a record with this id.
        """
        if idempotency_key is not None and (first := self.records.first_with(idempotency_key)) is not None:
            return first
        if 0 < max_queued <= (queued := self.records.counts[JobState.QUEUED]):
            raise QueueFull(queued, max_queued)
        if spec.id in self.records:
            raise DuplicateJob(spec.id)
        self.records.add(JobRecord(spec=spec, state=JobState.QUEUED, queued_at=datetime.now(UTC)), idempotency_key)
        self._say(spec.id, StateChanged(state=JobState.QUEUED, note=f"in queue {spec.queue!r}"))
        return spec.id

    def claim(self, job_id: str, worker: str) -> Claim:
        """Claim a queued job."""
        record = self.records[job_id]
        self.records.tokens[job_id] += 1
        held = Claim(
            spec=record.spec,
            token=self.records.tokens[job_id],
            attempt=record.attempt + 1,
            worker=worker,
            queued_at=record.queued_at,
            claimed_at=datetime.now(UTC),
            attempts=record.attempts,
        )
        facts = {"attempt": held.attempt, "worker": worker, "claimed_at": held.claimed_at, "tasklets": ()}
        self._move(held, JobState.STARTING, StateChanged(state=JobState.STARTING, note=f"on {worker}"), **facts)
        return held

    def wish(self, job_id: str, wish: Wish) -> JobState:
        """Note what somebody wants of a job's Executor, and return the state that was found or made.

        A queued job is cancelled at once.

        Raises:
            JobNotFound: when there is no such job.
            IllegalTransition: when a queued job is to be paused.
        """
        record = self.record(job_id)
        if record.state is JobState.QUEUED and wish is Wish.PAUSE:
            raise IllegalTransition(job_id, record.state, JobState.PAUSED)
        if record.state is JobState.QUEUED and wish is Wish.CANCEL:
            error = "cancelled before it started"
            return self.close_unclaimed(job_id, Outcome(state=JobState.CANCELLED, error=error))
        if not record.state.is_terminal and record.wish is not Wish.CANCEL:
            self.records.change(record, wish=wish)
        elif wish is Wish.CANCEL and not record.state.is_terminal:
            self._cancelled_again[job_id] += 1
        self.wake(job_id)
        return record.state

    def close_unclaimed(self, job_id: str, outcome: Outcome) -> JobState:
        """Close a job that is still queued; another is left as it is. Returns the state that was found or made."""
        record = self.record(job_id)
        if record.state is not JobState.QUEUED:
            return record.state
        self.records.change(record, state=outcome.state, outcome=outcome, ended_at=datetime.now(UTC))
        self._close(job_id, Finished(outcome=outcome))
        return outcome.state

    def take_and_close(self, job_id: str, outcome: Outcome) -> None:
        """Take a job from whoever holds it and close it, unless it is closed."""
        record = self.records.find(job_id)
        if record is not None and not record.state.is_terminal:
            self.records.tokens[job_id] += 1
            self.records.change(record, state=outcome.state, outcome=outcome, ended_at=datetime.now(UTC))
            self._close(job_id, Finished(outcome=outcome))

    def send(self, job_id: str, message: UserMessage) -> JobState:
        """Send a message to the task of an open job, and return the state that was found.

        Raises:
            JobNotFound: when there is no such job.
            JobClosed: when it has ended.
            TooManyMessages: when it was sent as many as it may be.
        """
        record = self.record(job_id)
        if record.state.is_terminal:
            raise JobClosed(job_id, record.state)
        sent = self._sent.setdefault(job_id, [])
        if len(sent) >= MOST_SENT:
            raise TooManyMessages(job_id, MOST_SENT)
        sent.append(message.model_copy(update={"stamp": self._stamp(record, len(sent) + 1)}))
        self.records.change(record, sent=len(sent))
        self.wake(job_id)
        return record.state

    def record(self, job_id: str) -> JobRecord:
        """Return a job's record.

        Raises:
            JobNotFound: when there is none.
        """
        return self.records[job_id]

    def wanted(self, job_id: str) -> Wanted:
        """Return what somebody wants of a job's Executor."""
        return self._wanted(self.record(job_id))

    async def read_inward(self, held: Claim, after: str) -> list[UserMessage]:
        """Return what producers have sent to the task after a position."""
        return self._sent.get(held.spec.id, [])[int(after) :]

    async def start(self, held: Claim, run: RunFacts) -> Wanted:
        """Note that the program runs."""
        message = StateChanged(state=JobState.RUNNING, note=run.program, source="executor")
        return self._move(held, JobState.RUNNING, message, run=run, started_at=datetime.now(UTC))

    async def cancelling(self, held: Claim) -> None:
        """Note that the program is being stopped."""
        self._move(held, JobState.CANCELLING, StateChanged(state=JobState.CANCELLING, source="executor"))

    async def pause(self, held: Claim) -> None:
        """Note that the program stands still."""
        self._move(held, JobState.PAUSED, StateChanged(state=JobState.PAUSED, source="executor"))

    async def resume(self, held: Claim) -> None:
        """Note that the program goes on."""
        self._move(held, JobState.RUNNING, StateChanged(state=JobState.RUNNING, note="goes on", source="executor"))

    async def release(self, held: Claim, attempt: AttemptFacts, note: str, delay: timedelta) -> None:  # noqa: ARG002
        """Give the job back, to be attempted again; whoever plays the broker minds the pause."""
        attempts = {**self.record(held.spec.id).attempts, held.attempt: attempt}
        message = StateChanged(state=JobState.QUEUED, note=note, source="executor")
        self._move(held, JobState.QUEUED, message, attempts=attempts)
        self.records.tokens[held.spec.id] += 1

    async def emit(self, held: Claim, messages: Sequence[Message]) -> Wanted:
        """Add messages that change no state."""
        await asyncio.sleep(0)
        record = self._owned(held)
        if record.state.is_terminal:
            raise Superseded(held.spec.id)
        for message in messages:
            self._say(record.id, message)
        newest: dict[str, object] = {m.kind: m for m in messages if isinstance(m, Progress | Heartbeat)}
        if ended := [message.run for message in messages if isinstance(message, TaskletEnded)]:
            runs = {run.order(): run for run in (*record.tasklets, *ended)}
            newest["tasklets"] = tuple(runs[order] for order in sorted(runs))
        return self._wanted(self.records.change(record, **newest) if newest else record)

    async def close(self, held: Claim, outcome: Outcome, provenance: Provenance) -> None:
        """Close the job with its one terminal state."""
        facts = {"outcome": outcome, "provenance": provenance, "ended_at": datetime.now(UTC)}
        self._move(held, outcome.state, Finished(outcome=outcome, source="executor"), **facts)

    def _owned(self, held: Claim) -> JobRecord:
        if (record := self.records.find(held.spec.id)) is None or self.records.tokens[record.id] != held.token:
            raise Superseded(held.spec.id)
        return record

    def _move(self, held: Claim, target: JobState, message: Message, **facts: object) -> Wanted:
        record = self._owned(held)
        if record.state is target:
            return self._wanted(record)
        if record.state not in sources(target):
            raise IllegalTransition(record.id, record.state, target)
        record = self.records.change(record, state=target, **facts)
        wanted = self._wanted(record)
        if target.is_terminal:
            self._close(record.id, message)
        else:
            self._say(record.id, message)
        return wanted

    def _close(self, job_id: str, message: Message) -> None:
        """Say the last word of a job, and keep no more of it than its record and messages."""
        self._say(job_id, message)
        for kept in (self._sent, self._cancelled_again):
            kept.pop(job_id, None)

    def _say(self, job_id: str, message: Message) -> None:
        stream = self.records.messages[job_id]
        stamped = message.model_copy(update={"stamp": self._stamp(self.records[job_id], stream.count + 1)})
        stream.append(stamped)
        if self._tell is not None:
            self._tell(stamped)

    def _wanted(self, record: JobRecord) -> Wanted:
        return Wanted(record.wish, len(self._sent.get(record.id, ())), self._cancelled_again[record.id])

    def _stamp(self, record: JobRecord, number: int) -> Stamp:
        return Stamp(job_id=record.id, attempt=record.attempt, at=datetime.now(UTC), position=str(number))
