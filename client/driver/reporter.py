"""Tells a driver of its jobs: each from `accepted` to `finished`, and what is new between."""

import asyncio
from collections import Counter, deque
from datetime import timedelta

from ...communicators import Finished, JobState, LogLines, Message, Outcome, Progress, StateChanged, described
from ...config.errors import JobNotFound
from ..coordinator import JobEntry
from .line_writer import LineWriter
from .protocol import AcceptedLine, FinishedLine, LeftLine, LogLine, ProgressLine, Ref
from .tracked_job import TrackedJob

__all__ = ["Reporter"]

#: Jobs that have ended and are remembered.
_MOST_ENDED = 10_000


class Reporter:
    """Subscribes to what a coordinator publishes, and keeps in mind where each job stands."""

    def __init__(self, writer: LineWriter, *, logs: bool) -> None:
        """Begin without jobs.

        Args:
            writer: takes the lines.
            logs: whether to pass on what programs print.
        """
        self._writer = writer
        self._logs = logs
        self._jobs: dict[str, TrackedJob] = {}
        self._ended: deque[str] = deque()
        self._open: dict[str, TrackedJob] = {}
        self._news = asyncio.Event()
        #: How many jobs have ended in which state.
        self.ends: Counter[JobState] = Counter()

    def __getitem__(self, job_id: str) -> TrackedJob:
        """Return a job of this session. Raises `JobNotFound`."""
        try:
            return self._jobs[job_id]
        except KeyError:
            raise JobNotFound(job_id) from None

    @property
    def jobs(self) -> tuple[TrackedJob, ...]:
        """The jobs that are remembered, the first accepted first."""
        return tuple(self._jobs.values())

    @property
    def open_jobs(self) -> tuple[TrackedJob, ...]:
        """Those that have not ended."""
        return tuple(self._open.values())

    def accept(self, entry: JobEntry, ref: Ref) -> None:
        """Say that a job was accepted. Call it before anybody else can hear of the job."""
        again = entry.job_id in self._jobs
        self._writer.answer(AcceptedLine(ref=ref, job=entry.job_id, task=entry.task, again=again))
        if not again:
            self._jobs[entry.job_id] = self._open[entry.job_id] = TrackedJob(entry)

    def note(self, message: Message) -> None:
        """Pass on what a job says; a subscriber."""
        if message.stamp is None or (job := self._open.get(message.stamp.job_id)) is None:
            return
        job.note(message)
        match message:
            case Finished(outcome=outcome):
                self._end(job, outcome)
            case StateChanged() if job.has_begun:
                self._writer.tell(job.status())
            case Progress():
                self._writer.tell(_progress_line(job, message))
            case LogLines() if self._logs:
                self._writer.tell(
                    LogLine(job=job.id, stream=message.stream, lines=message.lines, dropped=message.dropped)
                )

    async def report(self, interval: timedelta) -> None:
        """Say again and again where the jobs stand that are being carried out."""
        while True:
            await asyncio.sleep(interval.total_seconds())
            for job in self.open_jobs:
                if job.state is not JobState.QUEUED:
                    self._writer.tell(job.status())

    async def all_ended(self) -> None:
        """Wait until no job is open."""
        while self._open:
            self._news.clear()
            await self._news.wait()

    def leave(self) -> None:
        """Say which jobs go on without us."""
        for job in self.open_jobs:
            self._writer.answer(LeftLine(job=job.id, state=job.state))

    def _end(self, job: TrackedJob, outcome: Outcome) -> None:
        self._writer.answer(_finished_line(job, outcome))
        del self._open[job.id]
        self._news.set()
        self.ends[outcome.state] += 1
        self._ended.append(job.id)
        if len(self._ended) > _MOST_ENDED:
            del self._jobs[self._ended.popleft()]


def _progress_line(job: TrackedJob, message: Progress) -> ProgressLine:
    return ProgressLine(
        job=job.id, done=message.done, total=message.total, unit=message.unit, fraction=message.fraction
    )


def _finished_line(job: TrackedJob, outcome: Outcome) -> FinishedLine:
    ended = outcome.exit
    return FinishedLine(
        job=job.id,
        task=job.task,
        state=outcome.state,
        reason=outcome.reason,
        error=outcome.error,
        stderr_tail=outcome.stderr_tail,
        exit_code=ended.exit_code if ended else None,
        signal=ended.signal if ended else None,
        result=described(outcome.result),
        outputs={name: str(output.path) for name, output in outcome.outputs.items()},
        warnings=outcome.warnings,
    )
