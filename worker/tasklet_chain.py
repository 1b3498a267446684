"""A job's tasklets in their order: which of them run, and what becomes of the job by them."""

import asyncio
import logging
from functools import cache
from typing import Any

from ..communicators import Claim, FailureReason, JobState, Ledger, LedgerCommunicator, Outcome, TaskletRun
from ..config.errors import CannotRun, InvalidTasklet, LedgerError, UnknownTasklet
from ..tasklets import check_calls
from ..tasks import TaskDescription
from .given_up import GivenUp
from .job_directory import JobDirectory
from .keeper import Keeper
from .outputs import declared_outputs
from .relay import Relay
from .site import Site
from .standing import Standing, complaint, runs_at
from .tasklet_carrier import TaskletCarrier
from .tasklet_context import Missing, TaskletFacts, check_call
from .tasklet_parts import TaskletParts
from .tasklet_paths import TaskletPaths
from .tasklet_steps import Step, TaskletSteps
from .verdict import Stop

__all__ = ["TaskletChain"]

logger = logging.getLogger(__name__)


class TaskletChain:
    """Runs the tasklets of one attempt, before its program and after."""

    def __init__(
        self,
        held: Claim,
        ledger: Ledger,
        upward: LedgerCommunicator,
        directory: JobDirectory,
        relay: Relay,
        keeper: Keeper,
        site: Site,
    ) -> None:
        """Run nothing yet."""
        self._held = held
        self._ledger = ledger
        self._upward = upward
        self._directory = directory
        self._relay = relay
        self._parts = TaskletParts(held, directory, ledger, upward, relay, keeper, site)
        self._facts = TaskletFacts(held, directory, site.store)
        self._steps: TaskletSteps | None = None
        if site.tasklets is not None:
            carrier = TaskletCarrier(held, directory, upward, site)
            paths = TaskletPaths((directory.job,), site.input_roots, site.output_roots)
            self._steps = TaskletSteps(held, site.tasklets, carrier, self._parts, upward, relay, paths, directory.work)
        self._site = site.tasklets
        #: The task's parameters, once its tasklets have been found sound.
        self._parameters: dict[str, Any] | None = None
        #: Why the attempt is handed back, once it is.
        self.stop: Stop | None = None

    @property
    def runs(self) -> list[TaskletRun]:
        """What became of the tasklets, in order."""
        return self._steps.runs if self._steps else []

    def check(self, task: TaskDescription) -> None:
        """Make sure that all of a job's tasklets can be called, as far as that is known before anything runs.

        Raises:
            CannotRun: naming the first that cannot.
        """
        spec = self._held.spec
        if not (spec.before or spec.after):
            return
        if self._site is None:
            raise CannotRun("environment", "the job has tasklets, and nothing here runs any")
        known = self._facts.at_start(task.parameters())
        outputs = {name: str(path) for name, path, _, _ in declared_outputs(task)}
        try:
            for calls, after in ((spec.before, False), (spec.after, True)):
                check_calls(calls, self._site.tasklets, after=after)
            for number, call in enumerate(spec.before):
                check_call(call, known, ("previous",) if number else ())
            for call in spec.after:
                check_call(call, known | {"outputs": outputs}, ("result", "previous"))
        except (InvalidTasklet, UnknownTasklet) as error:
            raise CannotRun("validation", str(error)) from error
        self._parameters = known["parameters"]

    async def before(self, task: TaskDescription) -> TaskDescription:
        """Run the tasklets before the program; return the task with the parameters as they have left them.

        Raises:
            CannotRun: when one that is required has failed.
            GivenUp: when the attempt is to end now.
            LedgerError: when another attempt owns the job now.
        """
        if not self._held.spec.before or self._steps is None:
            return task
        await asyncio.to_thread(self._directory.make_room_for_tasklets)
        self._parts.task = task
        try:
            await self._run_before(self._steps)
            return self._parts.task
        finally:
            self._parameters = self._parts.task.parameters()
            self._parts.task = None  # from here on, nobody may change it

    async def after(self, outcome: Outcome) -> Outcome:
        """Run the tasklets after the program, and return what becomes of the job; `queued` when it is handed back.

        Raises:
            LedgerError: when another attempt owns the job now.
        """
        if self._steps is None:
            return outcome
        if self._parameters is not None and self._held.spec.after and outcome.state is not JobState.LOST:
            outcome = await self._after(self._steps, self._parameters, outcome)
        if not self._steps.runs:
            return outcome
        changes = {"warnings": tuple(self._steps.warnings), "artifacts": dict(self._relay.artifacts)}
        return outcome.model_copy(update=changes)

    async def _run_before(self, steps: TaskletSteps) -> None:
        failure: TaskletRun | None = None
        for number, call in enumerate(self._held.spec.before, 1):
            step = Step(call, "before", number)
            if not runs_at(call, JobState.FAILED if failure else JobState.SUCCEEDED):
                await steps.skip(
                    step, f"runs after a {call.when}; {'one before it failed' if failure else 'all is well'}"
                )
                continue
            parameters = self._parts.task.parameters() if self._parts.task else {}
            run = await steps.run(step, self._facts.at_start(parameters), None, JobState.STARTING)
            if self._upward.ending.is_set():
                raise GivenUp
            if not run.ok and call.required and failure is None:
                failure = run
            elif not run.ok:
                steps.warn(call.tasklet, complaint(run))
        if failure is not None:
            raise CannotRun("tasklet", f"the tasklet {failure.tasklet} before the program {complaint(failure)}")

    async def _after(self, steps: TaskletSteps, parameters: dict[str, Any], outcome: Outcome) -> Outcome:
        try:
            return await self._run_after(steps, parameters, outcome)
        except LedgerError:
            raise
        except Exception as error:  # whatever it is, the job gets an end
            facts = {"action": "tasklets_failed", "job_id": self._held.spec.id, "attempt": self._held.attempt}
            logger.exception("the tasklets after the program could not be run", extra=facts)
            problem = f"the tasklets after the program could not be run: {type(error).__name__}: {error}"
            if outcome.state is not JobState.SUCCEEDED:
                steps.warnings.append(problem)
                return outcome
            changes = {"state": JobState.FAILED, "reason": FailureReason.TASKLET, "error": problem}
            return outcome.model_copy(update=changes)

    async def _run_after(self, steps: TaskletSteps, parameters: dict[str, Any], outcome: Outcome) -> Outcome:
        await asyncio.to_thread(self._make_ready)
        standing, result = Standing(outcome), None
        steps.previous = Missing("the program did not end well")
        if outcome.state is JobState.SUCCEEDED:
            steps.previous = result = cache(self._facts.result(outcome))
        else:
            self._upward.ending.clear()  # what ended the program; from here on it says that all is to end
        for number, call in enumerate(self._held.spec.after, 1):
            step = Step(call, "after", number)
            await self._look(standing)
            if why := standing.why_not(call):
                await steps.skip(step, why)
                continue
            facts = self._facts.at_end(parameters, standing.outcome)
            run = await steps.run(step, facts, result, standing.outcome.state)
            await self._look(standing)
            if problem := standing.judge(call, run):
                steps.warn(call.tasklet, problem)
        return standing.end

    def _make_ready(self) -> None:
        self._directory.make_room_for_tasklets()
        self._directory.leave_links()

    async def _look(self, standing: Standing) -> None:
        """Have the job's standing follow what is wanted of it.

        Raises:
            LedgerError: when another attempt owns the job now.
        """
        if self._upward.refusal is not None:
            raise self._upward.refusal
        if self.stop is not None:
            standing.hand_back(self.stop)
        elif self._upward.ending.is_set():
            self._upward.ending.clear()
            standing.cancel()
            await self._ledger.cancelling(self._held)
