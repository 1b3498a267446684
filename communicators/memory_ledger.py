"""The ledger's twin in memory: same rules, one process, no Redis."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ..config.errors import IllegalTransition, JobClosed, JobNotFound, Superseded, TooManyMessages
from .commands.producing import MOST_SENT
from .ledger import Ledger
from .messages import Finished, Heartbeat, Message, Progress, Stamp, StateChanged, TaskletEnded, UserMessage
from .outcome import Outcome
from .record import AttemptFacts, Claim, JobRecord, JobSpec, Provenance, RunFacts, Wanted, Wish
from .states import JobState, sources

__all__ = ["MemoryLedger"]


class MemoryLedger(Ledger):
    """Records of one process's jobs, for one event loop."""

    def __init__(self) -> None:
        """Start with no jobs."""
        super().__init__()
        self._records: dict[str, JobRecord] = {}
        self._tokens: dict[str, int] = {}
        #: All messages of a job, in order.
        self.messages: dict[str, list[Message]] = {}
        self._sent: dict[str, list[UserMessage]] = {}
        self._cancelled_again: Counter[str] = Counter()
        self._news = asyncio.Event()

    def open(self, spec: JobSpec) -> None:
        """Open a record in state `queued`."""
        self._records[spec.id] = JobRecord(spec=spec, state=JobState.QUEUED, queued_at=datetime.now(UTC))
        self.messages[spec.id] = []
        self._say(spec.id, StateChanged(state=JobState.QUEUED))

    def claim(self, job_id: str, worker: str) -> Claim:
        """Claim a queued job."""
        record = self._records[job_id]
        token = self._tokens[job_id] = self._tokens.get(job_id, 0) + 1
        held = Claim(
            spec=record.spec,
            token=token,
            attempt=record.attempt + 1,
            worker=worker,
            queued_at=record.queued_at,
            claimed_at=datetime.now(UTC),
            attempts=record.attempts,
        )
        facts = {"attempt": held.attempt, "worker": worker, "claimed_at": held.claimed_at, "tasklets": ()}
        self._move(held, JobState.STARTING, StateChanged(state=JobState.STARTING), **facts)
        return held

    def wish(self, job_id: str, wish: Wish) -> None:
        """Note what somebody wants of a job's Executor; a queued job is cancelled at once.

        Raises:
            JobNotFound: when there is no such job.
            IllegalTransition: when a queued job is to be paused.
        """
        record = self.record(job_id)
        if record.state is JobState.QUEUED and wish is Wish.PAUSE:
            raise IllegalTransition(job_id, record.state, JobState.PAUSED)
        if record.state is JobState.QUEUED and wish is Wish.CANCEL:
            self._cancel_queued(record)
        elif not record.state.is_terminal and record.wish is not Wish.CANCEL:
            self._records[job_id] = record.model_copy(update={"wish": wish})
        elif wish is Wish.CANCEL:
            self._cancelled_again[job_id] += 1
        self.wake(job_id)

    def send(self, job_id: str, message: UserMessage) -> None:
        """Send a message to the task of an open job.

        Raises:
            JobNotFound: when there is no such job.
            JobClosed: when it has ended.
        """
        record = self.record(job_id)
        if record.state.is_terminal:
            raise JobClosed(job_id, record.state)
        sent = self._sent.setdefault(job_id, [])
        if len(sent) >= MOST_SENT:
            raise TooManyMessages(job_id, MOST_SENT)
        sent.append(message.model_copy(update={"stamp": self._stamp(record, len(sent) + 1)}))
        self.wake(job_id)

    def record(self, job_id: str) -> JobRecord:
        """Return a job's record.

        Raises:
            JobNotFound: when there is none.
        """
        if (record := self._records.get(job_id)) is None:
            raise JobNotFound(job_id)
        return record

    def wanted(self, job_id: str) -> Wanted:
        """Return what somebody wants of a job's Executor."""
        return self._wanted(self.record(job_id))

    async def message_at(self, job_id: str, index: int) -> Message:
        """Return a job's message by its number from 0, once it has been said."""
        while len(self.messages[job_id]) <= index:
            await self._news.wait()
        return self.messages[job_id][index]

    async def read_inward(self, held: Claim, after: str) -> list[UserMessage]:
        """Return what producers have sent to the task after a position."""
        return self._sent.get(held.spec.id, [])[int(after) :]

    async def start(self, held: Claim, run: RunFacts) -> Wanted:
        """Note that the program runs."""
        message = StateChanged(state=JobState.RUNNING, source="executor")
        return self._move(held, JobState.RUNNING, message, run=run, started_at=datetime.now(UTC))

    async def cancelling(self, held: Claim) -> None:
        """Note that the program is being stopped."""
        self._move(held, JobState.CANCELLING, StateChanged(state=JobState.CANCELLING, source="executor"))

    async def pause(self, held: Claim) -> None:
        """Note that the program stands still."""
        self._move(held, JobState.PAUSED, StateChanged(state=JobState.PAUSED, source="executor"))

    async def resume(self, held: Claim) -> None:
        """Note that the program goes on."""
        self._move(held, JobState.RUNNING, StateChanged(state=JobState.RUNNING, source="executor"))

    async def release(self, held: Claim, attempt: AttemptFacts, note: str, delay: timedelta) -> None:  # noqa: ARG002
        """Give the job back, to be attempted again; whoever plays the broker minds the pause."""
        attempts = {**self._records[held.spec.id].attempts, held.attempt: attempt}
        self._move(held, JobState.QUEUED, StateChanged(state=JobState.QUEUED, note=note), attempts=attempts)
        self._tokens[held.spec.id] += 1

    async def emit(self, held: Claim, messages: Sequence[Message]) -> Wanted:
        """Add messages that change no state."""
        await asyncio.sleep(0)
        record = self._owned(held)
        if record.state.is_terminal:
            raise Superseded(held.spec.id)
        self._say(record.id, *messages)
        newest: dict[str, object] = {m.kind: m for m in messages if isinstance(m, Progress | Heartbeat)}
        runs = {run.order(): run for run in record.tasklets}
        runs |= {message.run.order(): message.run for message in messages if isinstance(message, TaskletEnded)}
        newest["tasklets"] = tuple(runs[order] for order in sorted(runs))
        self._records[record.id] = record.model_copy(update=newest)
        return self._wanted(record)

    async def close(self, held: Claim, outcome: Outcome, provenance: Provenance) -> None:
        """Close the job with its one terminal state."""
        facts = {"outcome": outcome, "provenance": provenance, "ended_at": datetime.now(UTC)}
        self._move(held, outcome.state, Finished(outcome=outcome, source="executor"), **facts)

    def _owned(self, held: Claim) -> JobRecord:
        record = self.record(held.spec.id)
        if self._tokens[record.id] != held.token:
            raise Superseded(record.id)
        return record

    def _move(self, held: Claim, target: JobState, message: Message, **facts: object) -> Wanted:
        record = self._owned(held)
        if record.state is target:
            return self._wanted(record)
        if record.state not in sources(target):
            raise IllegalTransition(record.id, record.state, target)
        self._records[record.id] = record.model_copy(update={"state": target, **facts})
        self._say(record.id, message)
        return self._wanted(record)

    def _cancel_queued(self, record: JobRecord) -> None:
        outcome = Outcome(state=JobState.CANCELLED, error="cancelled before it started")
        facts = {"state": outcome.state, "outcome": outcome, "ended_at": datetime.now(UTC)}
        self._records[record.id] = record.model_copy(update=facts)
        self._say(record.id, Finished(outcome=outcome))

    def _say(self, job_id: str, *messages: Message) -> None:
        said = self.messages[job_id]
        for message in messages:
            said.append(message.model_copy(update={"stamp": self._stamp(self._records[job_id], len(said) + 1)}))
        self._news.set()
        self._news = asyncio.Event()

    def _wanted(self, record: JobRecord) -> Wanted:
        return Wanted(record.wish, len(self._sent.get(record.id, ())), self._cancelled_again[record.id])

    def _stamp(self, record: JobRecord, number: int) -> Stamp:
        return Stamp(job_id=record.id, attempt=record.attempt, at=datetime.now(UTC), position=str(number))
