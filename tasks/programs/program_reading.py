"""A program's file that has been read: the names that its class and fields get."""

from typing import Any

from ...tasklets import PLACES, TaskletCall
from ..files import Document, Place
from ..tasklet_entries import EntryReader
from ..third_party import ThirdPartyTask
from .program_file import ProgramFile

__all__ = ["ProgramReading"]


class ProgramReading:
    """One file on its way to a class."""

    def __init__(self, document: Document, file: ProgramFile) -> None:
        """Choose names."""
        self.document = document
        self.file = file
        #: The task's name.
        self.name = file.name or document.path.stem.replace("-", "_")
        self.class_name = "".join(word.capitalize() for word in self.name.split("_"))
        #: The names of the fields, by those of the parameters.
        self.field_of = {name: _field_name(name) for name in file.parameters}
        #: What is wrong with the tasklets.
        self.tasklet_problems: list[str] = []
        entries = EntryReader(document, self.tasklet_problems, file.parameters)
        #: The calls before and after each job.
        self.calls: dict[str, list[TaskletCall]] = {
            place: [one.call for one in entries.planned(place, getattr(file, place))] for place in PLACES
        }

    def annotation(self, parameter: str) -> Any:
        """Return the type of a parameter's field, with its markers."""
        alias = None if self.field_of[parameter] == parameter else parameter
        return self.file.parameters[parameter].annotation(parameter, alias)

    def problem(self, place: Place, words: str) -> str:
        """Return what is wrong with a part of the file."""
        return self.document.problem(place, f"{'.'.join(map(str, place))}: {words}")


def _field_name(parameter: str) -> str:
    """Return a name for a parameter's field: its own, unless each task has that already or pydantic forbids it."""
    taken = (
        parameter in ThirdPartyTask.__class_vars__
        or hasattr(ThirdPartyTask, parameter)
        or parameter.startswith(("_", "model_"))
    )
    return f"parameter_{parameter}" if taken else parameter
