"""What the references in a tasklet's arguments lead to, and the arguments that come of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..communicators import ArtifactStore, Claim, JobState, NotPlain, Outcome, as_plain
from ..config import Budget, check_references, resolve
from ..config.errors import InvalidReference, InvalidTasklet
from ..tasklets import NOTHING, Tasklet, TaskletCall, filled, takes_previous
from .job_directory import JobDirectory

__all__ = ["Arguments", "Missing", "TaskletContext", "TaskletFacts", "arguments", "check_call"]

#: Positional ones, and those by name.
Arguments = tuple[tuple[Any, ...], dict[str, Any]]

#: Arrays in a result that take more bytes are no argument; nor is what has more values.
_LARGEST_ARRAY = 4 * 2**20
_MOST_VALUES = 1_000_000


@dataclass(frozen=True)
class Missing:
    """In place of what came before a tasklet, where there is nothing: the text says why."""

    why: str


class TaskletFacts:
    """What is known of an attempt, as references name it."""

    def __init__(self, held: Claim, directory: JobDirectory, store: ArtifactStore) -> None:
        """Tell of the attempt that `held` names."""
        self._held = held
        self._directory = directory
        self._store = store

    def at_start(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is known before the program runs."""
        return {"parameters": parameters, "job": self._job(None)}

    def at_end(self, parameters: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
        """Return what is known after it, but for its result."""
        outputs = {name: str(output.path) for name, output in outcome.outputs.items()}
        return {"parameters": parameters, "job": self._job(outcome), "outputs": outputs}

    def result(self, outcome: Outcome) -> Callable[[], Any]:
        """Return what reads the result, and may take a while."""
        return lambda: as_plain(outcome.result, self._store, _LARGEST_ARRAY)

    def _job(self, outcome: Outcome | None) -> dict[str, Any]:
        spec = self._held.spec
        return {
            "id": spec.id,
            "task": spec.task,
            "directory": str(self._directory.work),
            "attempt": self._held.attempt,
            "state": str(outcome.state if outcome else JobState.STARTING),
            "exit_code": outcome.exit.exit_code if outcome and outcome.exit else None,
            "reason": str(outcome.reason) if outcome and outcome.reason else None,
            "error": outcome.error if outcome else "",
        }


class TaskletContext(Mapping[str, Any]):
    """Facts and what came before; the result is read when it is first asked for."""

    def __init__(
        self, facts: Mapping[str, Any], previous: Any | Callable[[], Any], result: Callable[[], Any] | None = None
    ) -> None:
        """Take facts, what came before (a value, `Missing`, or what reads it) and what reads the result, if any."""
        self._facts = facts
        self._previous = previous
        self._result = result
        lazy = {"result": result is not None, "previous": not isinstance(previous, Missing)}
        self._names = (*facts, *(name for name, there in lazy.items() if there))

    @cached_property
    def previous(self) -> Any:
        """What came before, or `Missing`."""
        return self._previous() if callable(self._previous) else self._previous

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        match name:
            case "result":
                return self._result and self._result()
            case "previous":
                return self.previous
            case _:
                return self._facts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def check_call(call: TaskletCall, facts: Mapping[str, Any], later: tuple[str, ...]) -> None:
    """Make sure that the references of a call lead somewhere, as far as that is known before the program runs.

    Raises:
        InvalidTasklet: naming the first that cannot.
    """
    try:
        check_references([list(call.args), call.kwargs], facts, later)
    except InvalidReference as error:
        raise InvalidTasklet(call.tasklet, [str(error)]) from error


def arguments(call: TaskletCall, tasklet: Tasklet[..., Any], context: TaskletContext) -> Arguments:
    """Return what a tasklet is to be called with. Blocks, when the result is to be read.

    Raises:
        InvalidTasklet: when a reference leads nowhere, an argument is missing, or is nothing that JSON could hold.
    """
    try:
        args, kwargs = resolve([list(call.args), call.kwargs], context, Budget(values=_MOST_VALUES))
    except InvalidReference as error:
        raise InvalidTasklet(call.tasklet, [str(error)]) from error
    previous: Any = NOTHING
    if takes_previous(call, tasklet):
        previous = context.previous
        if isinstance(previous, Missing):
            raise InvalidTasklet(call.tasklet, [f"it takes what came before it, but {previous.why}"])
    called = filled(call.model_copy(update={"args": tuple(args), "kwargs": kwargs}), tasklet, previous)
    if found := next(_not_plain(called), None):
        advice = "have the program write a file, and give its name"
        raise InvalidTasklet(call.tasklet, [f"{found.about} is too much for an argument, or no JSON: {advice}"])
    return called


def _not_plain(value: Any) -> Iterator[NotPlain]:
    match value:
        case NotPlain():
            yield value
        case dict():
            yield from (found for inner in value.values() for found in _not_plain(inner))
        case list() | tuple():
            yield from (found for inner in value for found in _not_plain(inner))
