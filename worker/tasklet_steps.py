"""One tasklet of a job after another: called, announced, its parts taken, and what became of it recorded."""

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..communicators import Claim, JobState, LedgerCommunicator, TaskletEnded, TaskletRun, TaskletState
from ..config.errors import InvalidTasklet
from ..tasklets import TaskletCall
from .relay import Relay
from .tasklet_call import TaskletAnswer, TaskletEnd
from .tasklet_carrier import TaskletCarrier
from .tasklet_context import Arguments, Missing, TaskletContext, arguments
from .tasklet_parts import PartRefused, TakenParts, TaskletParts
from .tasklet_paths import TaskletPaths
from .tasklet_site import TaskletEvent, TaskletSite

__all__ = ["Step", "TaskletSteps"]

_STATES = {
    TaskletEnd.RETURNED: TaskletState.SUCCEEDED,
    TaskletEnd.CRASHED: TaskletState.CRASHED,
    TaskletEnd.TIMED_OUT: TaskletState.TIMED_OUT,
    TaskletEnd.STOPPED: TaskletState.CANCELLED,
}
#: Characters of a tasklet's arguments, of one of them, and of the end of what it printed, in the record.
_LONGEST_ARGUMENTS, _LONGEST_ARGUMENT, _LONGEST_PRINTED = 1000, 200, 8000
_MOST_WARNINGS = 100


@dataclass(frozen=True)
class Step:
    """A call in its place: its number there begins at 1."""

    call: TaskletCall
    place: Literal["before", "after"]
    number: int


class TaskletSteps:
    """Runs the tasklets of one attempt, and remembers what became of them."""

    def __init__(
        self,
        held: Claim,
        site: TaskletSite,
        carrier: TaskletCarrier,
        parts: TaskletParts,
        upward: LedgerCommunicator,
        relay: Relay,
        paths: TaskletPaths,
        directory: Path,
    ) -> None:
        """Run nothing yet; arguments may name files in `paths`, relative ones in a directory."""
        self._paths = paths
        self._directory = directory
        self._held = held
        self._site = site
        self._carrier = carrier
        self._parts = parts
        self._upward = upward
        self._relay = relay
        #: What became of those that have ended or were passed over, in order.
        self.runs: list[TaskletRun] = []
        #: What did not go as it should.
        self.warnings: list[str] = []
        #: What the last one returned, `Missing`, or what reads it.
        self.previous: Any = Missing("nothing came before")

    async def run(
        self, step: Step, facts: Mapping[str, Any], result: Callable[[], Any] | None, state: JobState
    ) -> TaskletRun:
        """Run a tasklet and return what became of it.

        Args:
            step: which.
            facts: what references lead to.
            result: what reads the job's result, if there is one.
            state: the job's, as it is to be told.

        Raises:
            LedgerError: when another attempt owns the job now.
        """
        run_id, tasklet = str(uuid.uuid4()), self._site.tasklets[step.call.tasklet]
        context = TaskletContext(facts, self.previous, result)
        try:
            args, kwargs = await asyncio.to_thread(self._arguments, step.call, context)
        except InvalidTasklet as error:
            unfit = TaskletAnswer(ended=TaskletEnd.RAISED, error=self._relay.redaction.text(str(error)))
            return await self._record(step, run_id, "", unfit, TakenParts())
        told = self._events(step, run_id, args, kwargs)
        told("received")
        told("started")
        answer = self._relay.redaction.answer(await self._carrier.carry_out(step.call, tasklet, run_id, args, kwargs))
        answer, taken = await self._take(answer, state)
        told(*_end_of(answer))
        return await self._record(step, run_id, _shown(args, kwargs), answer, taken)

    async def skip(self, step: Step, why: str) -> TaskletRun:
        """Pass a tasklet over, and return what is recorded of it."""
        run = self._run_of(step, str(uuid.uuid4())).model_copy(update={"state": TaskletState.SKIPPED, "error": why})
        return await self._tell(run)

    def warn(self, tasklet: str, text: str) -> None:
        """Note what the job's outcome is to warn of."""
        if len(self.warnings) < _MOST_WARNINGS:
            self.warnings.append(f"{tasklet}: {text}")

    def _arguments(self, call: TaskletCall, context: TaskletContext) -> Arguments:
        tasklet = self._site.tasklets[call.tasklet]
        args, kwargs = arguments(call, tasklet, context)
        self._paths.check(tasklet, args, kwargs, self._directory)
        return args, kwargs

    async def _take(self, answer: TaskletAnswer, state: JobState) -> tuple[TaskletAnswer, TakenParts]:
        try:
            return answer, await self._parts.take(answer.parts, state)
        except PartRefused as refusal:
            changes = {"ended": TaskletEnd.RAISED, "error": str(refusal), "has_value": False}
            return answer.model_copy(update=changes), TakenParts()

    async def _record(
        self, step: Step, run_id: str, shown: str, answer: TaskletAnswer, taken: TakenParts
    ) -> TaskletRun:
        name = step.call.tasklet
        for text in taken.warnings:
            self.warn(name, text)
        self.previous = _previous(name, answer)
        printed = "\n".join(filter(None, (answer.printed.rstrip("\n"), answer.traceback)))
        facts = {
            "arguments": shown,
            "state": _STATES.get(answer.ended, TaskletState.FAILED),
            "error": answer.error or "",
            "printed": printed[-_LONGEST_PRINTED:],
            "elapsed_seconds": round(answer.elapsed_seconds, 6),
            "parts": tuple(taken.parts),
            "files": taken.files,
        }
        return await self._tell(self._run_of(step, run_id).model_copy(update=facts))

    async def _tell(self, run: TaskletRun) -> TaskletRun:
        self.runs.append(run)
        await self._upward.write(TaskletEnded(run=run, source="executor"))
        return run

    @staticmethod
    def _run_of(step: Step, run_id: str) -> TaskletRun:
        return TaskletRun(
            id=run_id,
            tasklet=step.call.tasklet,
            place=step.place,
            number=step.number,
            required=step.call.required,
            queue=step.call.queue or "",
            state=TaskletState.SKIPPED,
        )

    def _events(self, step: Step, run_id: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Callable[..., None]:
        """Return what announces the tasklet's events; one that is sent to a queue is announced there."""

        def tell(what: Any, facts: dict[str, Any] | None = None) -> None:
            event = TaskletEvent(
                what=what,
                id=run_id,
                tasklet=step.call.tasklet,
                job_id=self._held.spec.id,
                worker=self._held.worker,
                args=f"({', '.join(_brief(value) for value in args)})"[:_LONGEST_ARGUMENTS],
                kwargs=f"{{{', '.join(f'{key!r}: {_brief(kwargs[key])}' for key in kwargs)}}}"[:_LONGEST_ARGUMENTS],
                facts=facts or {},
            )
            self._site.announce(event)

        return (lambda *_: None) if step.call.queue else tell


def _previous(name: str, answer: TaskletAnswer) -> Any:
    if not answer.ok:
        return Missing(f"{name} did not end well")
    return answer.value if answer.has_value else Missing(f"what {name} returned is no JSON, or larger than 1 MiB")


def _end_of(answer: TaskletAnswer) -> tuple[str, dict[str, Any]]:
    """Return the event of a tasklet's end, with what belongs to it."""
    if answer.ok:
        return "succeeded", {"result": _brief(answer.value), "runtime": answer.elapsed_seconds}
    if answer.ended is TaskletEnd.STOPPED:
        return "revoked", {"terminated": True, "signum": "KILL", "expired": False}
    return "failed", {"exception": answer.error or "", "traceback": answer.traceback}


def _shown(args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Return arguments as somebody would write them."""
    words = [*map(_brief, args), *(f"{key}={_brief(value)}" for key, value in kwargs.items())]
    text = ", ".join(words)
    return text if len(text) <= _LONGEST_ARGUMENTS else f"{text[: _LONGEST_ARGUMENTS - 1]}…"


def _brief(value: Any) -> str:
    """Return a short text for a value; a long list is not written out for that."""
    match value:
        case list() | tuple() if len(value) > _LONGEST_ARGUMENT:
            text = f"[{', '.join(map(repr, value[:5]))}, … {len(value)} in all]"
        case _:
            text = repr(value)
    return text if len(text) <= _LONGEST_ARGUMENT else f"{text[: _LONGEST_ARGUMENT - 1]}…"
