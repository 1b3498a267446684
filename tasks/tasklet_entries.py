"""The tasklets that a YAML file asks for, each an entry of a list, with the line of what is wrong."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from ..config.errors import InvalidReference, InvalidTasklet, UnknownTasklet
from ..tasklets import (
    Place,
    PlannedTasklet,
    Scope,
    TaskletCall,
    Tasklets,
    call_from_words,
    check_call,
)
from .entry_schemas import entries_schema
from .files import Document

__all__ = ["Entries", "EntryReader"]

#: A list of tasklets as a file has it: words, `plot: {title: LaB6}`, or `tasklet: plot` with its options.
Entries = Annotated[list[Any], Field(max_length=1000), WithJsonSchema(entries_schema())]


@dataclass(frozen=True)
class EntryReader:
    """Reads the entries of one file, and goes on after a problem, to find the others."""

    document: Document
    #: What it finds wrong.
    problems: list[str]
    #: The names of the task's parameters; `None`: nobody knows them here.
    parameters: Collection[str] | None = None
    #: Those there are; `None`: whether one exists is seen when the job is submitted.
    tasklets: Tasklets | None = None
    #: Replaces what the file's own references lead to.
    resolve: Callable[[Any], Any] = lambda entry: entry

    def planned(self, place: Place, entries: list[Any]) -> list[PlannedTasklet]:
        """Return the tasklets of a list, as far as they can be told."""
        found = []
        for number, entry in enumerate(entries):
            try:
                call = self._call(entry)
                check_call(
                    call, self.tasklets, Scope(after=place == "after", first=not number, parameters=self.parameters)
                )
            except InvalidReference as error:
                self._complain((place, number, *error.place), error)
            except (InvalidTasklet, UnknownTasklet) as error:
                self._complain((place, number), error)
            else:
                line = self.document.line_of((place, number))
                found.append(PlannedTasklet(call, place, f"{self.document.path.name} line {line}"))
        return found

    def _call(self, entry: Any) -> TaskletCall:
        if isinstance(entry, str):  # first into words: what a reference leads to may have spaces
            facts = call_from_words(entry)
            entry = {**facts, "args": list(facts["args"])}
        return TaskletCall.of(self.resolve(entry))

    def _complain(self, place: tuple[str | int, ...], error: Exception) -> None:
        name = ".".join(map(str, self.document.part(place)))
        self.problems.append(self.document.problem(place, f"{name}: {error}"))
