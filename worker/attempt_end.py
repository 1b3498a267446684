"""What an attempt leaves behind for good: its record on disk, and of its outputs what there is."""

import asyncio
import logging
import threading
from datetime import UTC, datetime

from ..communicators import (
    Claim,
    JobRecord,
    JobState,
    LedgerCommunicator,
    Outcome,
    Provenance,
    Returned,
    TaskletRun,
)
from ..tasks import Task, TaskDescription
from .job_directory import JobDirectory
from .package_versions import loaded_modules, package_versions
from .partial_outputs import keep_partial_outputs
from .relay import Relay
from .supervision import Supervision
from .work_folders import remove_work_folders

__all__ = ["AttemptEnd"]

logger = logging.getLogger(__name__)

#: How long the end of a job waits for its partial outputs; a file system that is slower keeps them where they are.
_PARTIAL_SECONDS = 10.0


class AttemptEnd:
    """Gathers what is to be kept when an attempt has ended."""

    def __init__(self, held: Claim, directory: JobDirectory, upward: LedgerCommunicator, relay: Relay) -> None:
        """Prepare for the end of the attempt that `held` names."""
        self._held = held
        self._directory = directory
        self._upward = upward
        self._relay = relay
        self._task: TaskDescription | None = None
        self._supervision: Supervision | None = None
        #: What became of the tasklets, in order.
        self.tasklets: list[TaskletRun] = []

    def program_starts(self, task: TaskDescription, supervision: Supervision) -> None:
        """Take note of what runs: from here on there may be something to be kept."""
        self._task = task
        self._supervision = supervision

    def has_partial_outputs(self, outcome: Outcome) -> bool:
        """Whether to look for partial outputs: not when they are whole, or no program ran that could have made any."""
        if self._task is None or outcome.outputs or outcome.state is JobState.SUCCEEDED:
            return False
        return any(field.output for field in self._task.task_fields())

    async def with_partial_outputs(self, outcome: Outcome) -> Outcome:
        """Return the outcome with its partial outputs. Only for the holder of the newest claim."""
        task, given_up = self._task, threading.Event()
        if task is None:
            return outcome
        try:
            async with asyncio.timeout(_PARTIAL_SECONDS):
                outputs = await asyncio.to_thread(keep_partial_outputs, task, self._directory, given_up)
        except Exception as error:  # noqa: BLE001 - whatever it is, the job's end is another
            self._complain("partial_outputs_not_kept", "the partial outputs are not kept", error)
            return outcome
        finally:
            given_up.set()
        return outcome.model_copy(update={"outputs": outputs})

    async def write_record(self, outcome: Outcome, provenance: Provenance) -> Provenance:
        """Write the attempt's record, and return its provenance with the packages, which are known only now."""

        def write() -> Provenance:
            known = provenance.model_copy(update={"packages": self._packages()}) if self._supervision else provenance
            self._directory.keep_record(self._record(outcome, known))
            return known

        try:
            return await asyncio.to_thread(write)
        except (OSError, ValueError) as error:
            self._complain("record_not_written", "the record is not on disk", error)
            return provenance

    async def publish(self, outcome: Outcome, keep_work: str) -> None:
        """Make the attempt's record the job's, and remove the working folders that nobody wants. For who has closed it."""

        def publish() -> None:
            self._directory.publish_record()
            if keep_work == "never" or (keep_work == "unsuccessful" and outcome.state is JobState.SUCCEEDED):
                remove_work_folders(self._directory.job, (output.path for output in outcome.outputs.values()))

        try:
            await asyncio.to_thread(publish)
        except OSError as error:
            self._complain("record_not_published", "the job's directory is not as it should be", error)

    def _packages(self) -> dict[str, str]:
        """Return the packages of the process that made the result: ours, or what a first-party task has said."""
        if not isinstance(self._task, Task):
            return package_versions().of(loaded_modules())
        end = self._relay.end
        return package_versions().of(end.modules) if isinstance(end, Returned) else {}

    def _record(self, outcome: Outcome, provenance: Provenance) -> JobRecord:
        held, supervision, wanted, now = self._held, self._supervision, self._upward.wanted, datetime.now(UTC)
        return JobRecord(
            spec=held.spec,
            state=outcome.state,
            attempt=held.attempt,
            worker=held.worker,
            wish=wanted.wish,
            sent=wanted.sent,
            queued_at=held.queued_at or now,
            claimed_at=held.claimed_at,
            started_at=supervision and supervision.started_at,
            ended_at=now,
            run=supervision and supervision.run_facts,
            progress=self._relay.progress,
            heartbeat=supervision and supervision.heartbeat,
            provenance=provenance,
            outcome=outcome,
            attempts=held.attempts,
            tasklets=tuple(self.tasklets),
        )

    def _complain(self, action: str, words: str, error: Exception) -> None:
        facts = {"action": action, "job_id": self._held.spec.id, "attempt": self._held.attempt}
        logger.warning("%s: %s: %s", words, type(error).__name__, error, extra=facts)
