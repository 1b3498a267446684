"""Which jobs somebody looks for. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import to_jsonable_python

from ..communicators import JobState, commands

__all__ = ["STATE_WORDS", "JobFilter", "States", "job_filter", "states_of"]

States = JobState | str | Collection[JobState | str]

_OPEN = frozenset(state for state in JobState if not state.is_terminal)
_CLOSED = frozenset(JobState) - _OPEN
_GROUPS = {"open": _OPEN, "closed": _CLOSED}
#: All that a state may be asked for by.
STATE_WORDS = (*_GROUPS, *(str(state) for state in JobState))


@dataclass(frozen=True)
class JobFilter:
    """What a job must be like; what is left out does not matter."""

    #: One of these.
    states: frozenset[JobState] | None = None
    task: str | None = None
    #: Submitted then or later, and before then; milliseconds since the epoch by the ledger's clock.
    since_ms: int | None = None
    until_ms: int | None = None
    #: For each parameter, the JSON values of which it must be one, or hold one if it is a list.
    parameters: Mapping[str, Collection[Any]] = field(default_factory=dict)

    @property
    def by_time_only(self) -> bool:
        """Whether the time of submission decides alone."""
        return self.states is None and not self.looks_into_spec

    @property
    def looks_into_spec(self) -> bool:
        """Whether it needs to know what was submitted."""
        return self.task is not None or bool(self.parameters)

    def matches(self, facts: commands.JobFacts) -> bool:
        """Say whether a job, submitted within the time, is one of those."""
        return (
            (self.states is None or facts.state in self.states)
            and (self.task is None or facts.task == self.task)
            and all(_fits(facts.parameters, name, wanted) for name, wanted in self.parameters.items())
        )


def job_filter(
    now_ms: int,
    *,
    state: States | None = None,
    task: str | None = None,
    since: datetime | timedelta | None = None,
    until: datetime | timedelta | None = None,
    parameters: Mapping[str, Collection[Any]] | None = None,
) -> JobFilter:
    """Return the filter for what a producer asks by. See `Client.jobs`; of parameters any of the values will do.

    Raises:
        ValueError: when there is no such state.
    """
    return JobFilter(
        states=None if state is None else states_of(state),
        task=task,
        since_ms=None if since is None else _moment_ms(since, now_ms),
        until_ms=None if until is None else _moment_ms(until, now_ms),
        parameters={name: to_jsonable_python(list(values)) for name, values in (parameters or {}).items()},
    )


def states_of(states: States) -> frozenset[JobState]:
    """Return the states that a word, a state or several of either mean; `open` and `closed` mean groups.

    Raises:
        ValueError: naming the word and the choices.
    """
    words: Iterable[str] = (states,) if isinstance(states, str) else states
    found: frozenset[JobState] = frozenset()
    for word in words:
        if word not in STATE_WORDS:
            raise ValueError(f"no state is called {word!r}; there are {', '.join(STATE_WORDS)}")
        found |= _GROUPS.get(word) or {JobState(word)}
    return found


def _moment_ms(moment: datetime | timedelta, now_ms: int) -> int:
    """Return a moment, or one so long ago, in milliseconds since the epoch; without a time zone it is local time."""
    if isinstance(moment, timedelta):
        return now_ms - int(moment.total_seconds() * 1000)
    return int(moment.astimezone(UTC).timestamp() * 1000)


def _fits(parameters: Mapping[str, Any], name: str, wanted: Collection[Any]) -> bool:
    if name not in parameters:
        return False
    found = parameters[name]
    candidates = [found, *found] if isinstance(found, list) else [found]
    return any(_same(candidate, value) for candidate in candidates for value in wanted)


def _same(found: Any, wanted: Any) -> bool:
    """Compare JSON values: 1 and 1.0 are the same number, and `true` is none."""
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)
