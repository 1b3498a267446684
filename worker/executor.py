"""What rides beside a program: prepares the ground, starts it, listens to it, reports on it, and outlives it.

A coroutine over a claim, a catalogue and a ledger. It knows neither Celery nor Redis nor threads, so the same code serves
every strategy.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..communicators import (
    Cancel,
    Claim,
    FailureReason,
    JobState,
    Ledger,
    LedgerCommunicator,
    Outcome,
    Progress,
    Provenance,
    Raised,
    Returned,
)
from ..config.errors import CannotRun, LedgerError
from ..tasks import Catalogue, ProgramRun, Task, TaskDescription, ThirdPartyTask
from .attempt_end import AttemptEnd
from .doubts import with_doubts
from .given_up import GivenUp
from .job_directory import JobDirectory
from .keeper import Keeper
from .listening import Listening
from .preparation import Preparation, Prepared
from .program import Program
from .relay import Relay
from .result import with_result
from .site import Site
from .supervision import Supervision
from .sweep import ATTEMPT_COOKIE, WORKER_COOKIE
from .tasklet_chain import TaskletChain
from .verdict import Released, Stop, failed, next_attempt, verdict

__all__ = ["Executor"]

logger = logging.getLogger(__name__)


class Executor:
    """Carries out one attempt of one job."""

    def __init__(self, held: Claim, catalogue: Catalogue, ledger: Ledger, site: Site) -> None:
        """Prepare for the attempt that `held` names; it can run what is in the catalogue and nothing else."""
        self._held = held
        self._catalogue = catalogue
        self._ledger = ledger
        self._site = site
        self._directory = JobDirectory(site.jobs_directory, held, site.output_roots)
        self._provenance = Provenance()
        self._stop: Stop | None = None
        self._supervision: Supervision | None = None
        self._facts = {"job_id": held.spec.id, "attempt": held.attempt}
        #: Between us and whoever watches the job.
        self.upward = LedgerCommunicator(held, ledger)
        self._keeper = Keeper(site, self._directory)
        self._relay = Relay(self.upward, self._keeper, self._facts)
        self._end = AttemptEnd(held, self._directory, self.upward, self._relay)
        self._tasklets = TaskletChain(held, ledger, self.upward, self._directory, self._relay, self._keeper, site)
        self._socket = site.sockets / f"{uuid.uuid4().hex[:12]}.sock"
        self._cookies = {"OUTRIDER_JOB": held.spec.id, ATTEMPT_COOKIE: held.cookie, WORKER_COOKIE: site.worker_id}
        self._cookies["OUTRIDER_SOCKET"] = str(self._socket)

    @property
    def held(self) -> Claim:
        """The claim that this attempt stands on."""
        return self._held

    @property
    def progress(self) -> Progress | None:
        """The newest progress, for those who ask us directly."""
        return self._relay.progress

    async def run(self) -> Outcome | Released:
        """Carry out the attempt; close the job and return how it ended, or release it to be attempted again.

        Raises:
            LedgerError: when another attempt owns the job now; ours has been ended and has left no trace in the record.
        """
        spec = self._held.spec
        await self.upward.open()
        try:
            outcome = await self._outcome()
            outcome, end = await self._end_of(self._relay.redaction.outcome(outcome))
        finally:
            await self.upward.close()
        self._end.tasklets = self._tasklets.runs
        if isinstance(end, Released):
            ended = outcome.model_copy(update={"state": end.attempt.state})
            await self._end.write_record(ended, self._provenance)
            await self._ledger.release(self._held, end.attempt, end.note, end.delay)
            logger.info("%s is %s", spec.task, end.note, extra={"action": "job_released", **self._facts})
            return end
        end = await self._close(end)
        logger.info("%s %s", spec.task, end.state, extra={"action": "job_ended", **self._facts})
        return end

    async def hand_back(self, error: str, *, at_once: bool = False) -> None:
        """Stop the attempt; the job is attempted again elsewhere, or is lost if it may not be."""
        self._stop = self._tasklets.stop = self._stop or Stop(JobState.QUEUED, error)
        self.upward.ending.set()
        if self._supervision:
            await self._supervision.stop_program(self._stop, at_once=at_once)

    def superseded(self, refusal: LedgerError) -> None:
        """Take note that another attempt owns the job now."""
        self.upward.refuse(refusal)

    async def _close(self, outcome: Outcome) -> Outcome:
        """Close the job; its end is on disk before, whatever becomes of the ledger, and is the job's only after."""
        outcome = with_doubts(outcome, self._held.spec, self._catalogue)
        provenance = await self._end.write_record(outcome, self._provenance)
        await self._ledger.close(self._held, outcome, provenance)
        await self._end.publish(outcome, self._site.keep_work)
        return outcome

    async def _end_of(self, outcome: Outcome) -> tuple[Outcome, Outcome | Released]:
        """Return the outcome as tasklets leave it, and what comes of it; only the last attempt has some after it."""
        end = self._next(outcome)
        if isinstance(end, Outcome):
            outcome = end = await self._tasklets.after(await self._with_partial_outputs(end))
        return outcome, self._next(outcome) if outcome.state is JobState.QUEUED else end

    def _next(self, outcome: Outcome) -> Outcome | Released:
        return next_attempt(outcome, self._held.attempt, self._held.worker, self._held.spec.retry)

    async def _with_partial_outputs(self, outcome: Outcome) -> Outcome:
        if not self._end.has_partial_outputs(outcome):
            return outcome
        await self._ledger.emit(self._held, [])  # only the newest claim may fill the job's partial outputs
        return await self._end.with_partial_outputs(outcome)

    async def _outcome(self) -> Outcome:
        """Return how the attempt ended; whatever went wrong, the job gets an end and the worker lives."""
        try:
            return await self._carry_out()
        except CannotRun as error:
            return failed(error.reason, error.message)
        except LedgerError:
            raise
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            logger.exception("the Executor failed", extra={"action": "executor_failed", **self._facts})
            told = f"{type(error).__name__}: {error} (the worker's log has the traceback)"
            return failed(FailureReason.INTERNAL, told)
        finally:
            if self._supervision is None:  # nobody has swept yet, and scripts may have left somebody
                self._site.sweeper.sweep_later(self._held.cookie)

    async def _carry_out(self) -> Outcome:
        preparation = Preparation(self._held, self._catalogue, self.upward, self._directory, self._site, self._cookies)
        try:
            prepared = await preparation.prepare(self._tasklets, self._relay)
        except GivenUp:
            return await self._stopped_early()
        except TimeoutError:
            limit = self._held.spec.limits.preparation
            return Outcome(state=JobState.TIMED_OUT, error=f"the preparation took longer than {limit}")
        task = prepared.task
        listening = Listening(task, prepared.launch, self._directory, self._socket, self._keeper)
        try:
            await listening.open()
            if self._stop:
                return await self._stopped_early()
            outcome = await self._run_program(prepared, listening)
        finally:
            await listening.close()
        if outcome.state is not JobState.SUCCEEDED:
            return outcome
        if any(field.output for field in task.task_fields()):
            await self._ledger.emit(self._held, [])  # only the newest claim may fill the job's outputs
        return await asyncio.to_thread(
            with_result, task, self._directory, outcome, self._site, self._result_reader(task)
        )

    async def _run_program(self, prepared: Prepared, listening: Listening) -> Outcome:
        task, launch, collector, pipe = prepared.task, prepared.launch, prepared.collector, listening.pipe
        program = Program.start(launch, pipe.write_ends.get("stdout"), pipe.write_ends["stderr"])
        listening.hand_over(program.pid)
        self._supervision = Supervision(self._held, self._ledger, self.upward, listening, self._relay, self._site)
        self._end.program_starts(task, self._supervision)
        collector.start(self._site.hashes if self._site.hash_inputs else None)
        try:
            ended = await self._supervision.run(program, launch, prepared.parameters)
        finally:
            self._provenance = await collector.finish()
        said = self._relay.end if isinstance(self._relay.end, Raised) else None
        name = task.name if isinstance(task, Task) else Path(launch.program).name
        outcome = verdict(name, ended, pipe.last_lines("stderr"), self._supervision.stop, said)
        return outcome.model_copy(update={"artifacts": self._relay.artifacts})

    def _result_reader(self, task: TaskDescription) -> Callable[[ProgramRun], Any]:
        """Return what makes the result of a program's run: the task, or what it has said itself."""
        if isinstance(task, ThirdPartyTask):
            return task.read_result
        match self._relay.end:
            case Returned(value=value):
                return lambda _: value
            case Raised(error=error):  # it was lost on the way, say
                raise CannotRun(FailureReason.RESULT, f"{task.name}: {error}")
            case _:
                raise CannotRun(FailureReason.RESULT, f"{task.name} ended without returning from run")

    async def _stopped_early(self) -> Outcome:
        """Return the outcome of an attempt that is to end before its program has started.

        Raises:
            LedgerError: when another attempt owns the job now.
        """
        while self._stop is None:
            if isinstance(await self.upward.read(), Cancel):
                self._stop = Stop(JobState.CANCELLED, "was cancelled")
        return Outcome(state=self._stop.state, error=f"the attempt {self._stop.error}")
