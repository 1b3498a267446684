"""What rides beside a program: prepares the ground, starts it, listens to it, reports on it, and outlives it.

A coroutine over a claim, a task and a ledger. It knows neither Celery nor Redis nor threads, so the same code serves every
strategy.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ..communicators import (
    Cancel,
    Claim,
    Exit,
    FailureReason,
    Heartbeat,
    JobState,
    Ledger,
    LedgerCommunicator,
    Outcome,
    PipeCommunicator,
    Progress,
    ProgressPattern,
    Provenance,
    RunFacts,
    Stream,
)
from ..config.errors import CannotRun, InvalidParameters, LedgerError, UnknownTask
from ..tasks import Catalogue, ThirdPartyTask
from .job_directory import JobDirectory
from .launch import Launch, plan_launch
from .outputs import check_inputs
from .process_table import ProcessTable
from .program import Program
from .provenance import ProvenanceCollector
from .result import with_result
from .verdict import failed, verdict

__all__ = ["Executor", "Site"]

logger = logging.getLogger(__name__)

#: How long the pipes of an ended program may be held open by somebody who fled from its group.
_DRAIN_SECONDS = 1.0


@dataclass(frozen=True)
class Site:
    """Where and how a worker's Executors carry out jobs."""

    jobs_directory: Path
    environment: Mapping[str, str]
    grace: timedelta
    heartbeat_interval: timedelta
    hash_inputs: bool
    processes: ProcessTable


class Executor:
    """Carries out one attempt of one job."""

    def __init__(self, held: Claim, catalogue: Catalogue, ledger: Ledger, site: Site) -> None:
        """Prepare for the attempt that `held` names; it can run what is in the catalogue and nothing else."""
        self._held = held
        self._catalogue = catalogue
        self._ledger = ledger
        self._site = site
        self._directory = JobDirectory(site.jobs_directory, held)
        self._provenance = Provenance()
        self._cancelled = False
        self._peak_rss = 0
        #: Between us and whoever watches the job.
        self.upward = LedgerCommunicator(held, ledger)
        #: The newest progress, for those who ask us directly.
        self.progress: Progress | None = None

    async def run(self) -> Outcome:
        """Carry out the attempt, close the job, and return how it ended.

        Raises:
            LedgerError: when another attempt owns the job now; ours has been ended and has left no trace in the record.
        """
        facts = {"action": "job_ended", "job_id": self._held.spec.id, "attempt": self._held.attempt}
        try:
            outcome = await self._carry_out()
        except CannotRun as error:
            outcome = failed(error.reason, error.message)
        except LedgerError:
            raise
        except Exception as error:  # whatever it is, the job gets an end and the worker lives
            logger.exception("the Executor failed", extra=facts)
            outcome = failed(
                FailureReason.INTERNAL, f"{type(error).__name__}: {error} (the worker's log has the traceback)"
            )
        await self.upward.close()
        with contextlib.suppress(OSError):
            self._directory.keep_outcome(outcome)
        await self._ledger.close(self._held, outcome, self._provenance)
        with contextlib.suppress(OSError):
            self._directory.publish_outcome()
        logger.info("%s %s", self._held.spec.task, outcome.state, extra=facts)
        return outcome

    async def _carry_out(self) -> Outcome:
        task = self._resolve_task()
        launch = plan_launch(task, self._directory.work, self._site.environment, self._held.spec.id)
        self._directory.create(launch.input_files)
        check_inputs(task, self._directory.work)
        pattern = ProgressPattern(task.progress) if task.progress else None
        pipe = PipeCommunicator(self._streams(launch), pattern)
        try:
            await pipe.open()
            program = Program.start(launch, pipe.write_ends.get("stdout"), pipe.write_ends["stderr"])
            pipe.hand_over()
            collector = ProvenanceCollector(task, launch, hash_inputs=self._site.hash_inputs)
            ended = await self._supervise(program, launch, pipe)
            self._provenance = await collector.finish()
        finally:
            await pipe.close()
        name = Path(launch.argv[0]).name
        outcome = verdict(name, ended, pipe.last_lines("stderr"), cancelled=self._cancelled)
        if outcome.state is not JobState.SUCCEEDED:
            return outcome
        if any(field.output for field in task.task_fields()):
            await self._ledger.emit(self._held, [])  # only the newest claim may fill the job's outputs
        return await asyncio.to_thread(with_result, task, self._directory, outcome)

    def _resolve_task(self) -> ThirdPartyTask:
        spec = self._held.spec
        try:
            return self._catalogue[spec.task].from_parameters(spec.parameters)
        except (UnknownTask, InvalidParameters) as error:
            raise CannotRun(FailureReason.VALIDATION, str(error)) from error

    def _streams(self, launch: Launch) -> dict[Stream, Path]:
        streams: dict[Stream, Path] = {"stderr": self._directory.stderr}
        if launch.stdout is None:
            streams["stdout"] = self._directory.stdout
        return streams

    async def _supervise(self, program: Program, launch: Launch, pipe: PipeCommunicator) -> Exit:
        """Wait for the program's end while four helpers speak for it; if one of them must stop, so must the program."""
        try:
            with _first_of_group():
                async with asyncio.TaskGroup() as helpers:
                    announced = helpers.create_task(self._announce(program, launch))
                    helpers.create_task(self._relay(pipe))
                    for_its_life = (
                        helpers.create_task(self._heartbeats(program)),
                        helpers.create_task(self._obey(program, announced)),
                    )
                    ended = await program.wait()
                    await announced
                    await pipe.wait_drained(_DRAIN_SECONDS)
                    await pipe.close()
                    for helper in for_its_life:
                        helper.cancel()
        finally:
            program.kill()
        return ended.model_copy(update={"peak_rss": max(ended.peak_rss, self._peak_rss)})

    async def _announce(self, program: Program, launch: Launch) -> None:
        run = RunFacts(
            host=socket.gethostname(),
            pid=program.pid,
            argv=launch.argv,
            directory=launch.directory,
            environment=dict(launch.environment_difference),
        )
        self.upward.notice(cancel_requested=await self._ledger.start(self._held, run))

    async def _relay(self, pipe: PipeCommunicator) -> None:
        while (message := await pipe.read()) is not None:
            if isinstance(message, Progress):
                self.progress = message
            await self.upward.write(message)

    async def _heartbeats(self, program: Program) -> None:
        while True:
            await asyncio.sleep(self._site.heartbeat_interval.total_seconds())
            usage = await self._site.processes.session(program.pid)
            self._peak_rss = max(self._peak_rss, usage.rss)
            beat = Heartbeat(
                pid=program.pid,
                elapsed_seconds=round(program.elapsed_seconds, 3),
                rss=usage.rss,
                cpu_seconds=usage.cpu_seconds,
                source="executor",
            )
            await self.upward.write(beat)

    async def _obey(self, program: Program, announced: "asyncio.Task[None]") -> None:
        await announced
        while True:
            match await self.upward.read():
                case Cancel():
                    self._cancelled = True
                    await self._ledger.cancelling(self._held)
                    await program.stop(self._site.grace)


@contextlib.contextmanager
def _first_of_group() -> Iterator[None]:
    """Raise what a helper raised as it is, not as a group."""
    try:
        yield
    except BaseExceptionGroup as group:
        first = next((error for error in group.exceptions if isinstance(error, LedgerError)), group.exceptions[0])
        raise first from group
