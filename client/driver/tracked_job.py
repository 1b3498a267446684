"""What has been heard of one job."""

import time

from ...communicators import Finished, Heartbeat, JobState, Message, Progress, StateChanged
from ..coordinator import JobEntry
from .protocol import AdvanceFacts, Ref, StatusLine

__all__ = ["TrackedJob"]


class TrackedJob:
    """Where a job stands, as far as its messages tell."""

    def __init__(self, entry: JobEntry) -> None:
        """Begin with a job that was just accepted."""
        self.id = entry.job_id
        self.task = entry.task
        self.state = JobState.QUEUED
        self._attempt = 0
        self._began: float | None = None
        self._ended: float | None = None
        self._heartbeat: Heartbeat | None = None
        self._progress: Progress | None = None

    @property
    def has_begun(self) -> bool:
        """Whether there was an attempt."""
        return self._attempt > 0

    def note(self, message: Message) -> None:
        """Take note of what the job says."""
        if message.stamp and message.stamp.attempt != self._attempt:
            self._attempt = message.stamp.attempt
            self._began = self._heartbeat = self._progress = None
        match message:
            case StateChanged(state=state):
                self.state = state
                if state is JobState.RUNNING and self._began is None:
                    self._began = time.monotonic()
            case Heartbeat():
                self._heartbeat = message
            case Progress():
                self._progress = message
            case Finished(outcome=outcome):
                self.state = outcome.state
                self._ended = time.monotonic()

    def status(self, ref: Ref = None) -> StatusLine:
        """Return where the job stands."""
        beat, advance = self._heartbeat, self._progress
        return StatusLine(
            ref=ref,
            job=self.id,
            task=self.task,
            state=self.state,
            attempt=self._attempt,
            elapsed=self._elapsed(),
            rss=beat.rss if beat else None,
            cpu=beat.cpu_seconds if beat else None,
            progress=AdvanceFacts(done=advance.done, total=advance.total, unit=advance.unit) if advance else None,
        )

    def _elapsed(self) -> float | None:
        if self._began is None:
            return None
        return round((self._ended or time.monotonic()) - self._began, 3)
