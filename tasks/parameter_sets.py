"""The names that `{{ references }}` in a job file may use: its own values, and sets of parameters that jobs share."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..config import Budget, resolve, root_name
from ..config.errors import InvalidFile, InvalidReference
from ..tasklets import ROOTS
from .files import Document, Place, read_document

__all__ = ["known_names", "reference_problem"]

_RESERVED = f"the names {', '.join(ROOTS)} are for references of tasklets; take another"


def known_names(job: Document, values: Mapping[str, Any], use: Iterable[str], budget: Budget) -> dict[str, Any]:
    """Return names with their values: the job's own, before those of the sets; of two sets the later one wins.

    A value may refer to what stands before it in its set, to the sets before, and to the job's own values.

    Raises:
        InvalidFile: naming the file, and each of its problems.
    """
    names: dict[str, Any] = {}
    _add(names, job, ("values",), values, budget)
    own = frozenset(names)
    for number, path in enumerate(use):
        shared = _read(job, number, path)
        contents = shared.mapping("a set of parameters")
        _add(names, shared, (), {name: value for name, value in contents.items() if name not in own}, budget)
    return names


def reference_problem(document: Document, place: Place, error: InvalidReference) -> str:
    """Return what is wrong with a reference within a part of a file."""
    where = (*place, *error.place)
    return document.problem(where, f"{'.'.join(map(str, where))}: {error}")


def _read(job: Document, number: int, path: str) -> Document:
    try:
        return read_document(job.folder / Path(path).expanduser())
    except InvalidFile as error:
        if Path(error.path).exists():
            raise
        raise job.invalid([job.problem(("use", number), f"use: {error}")]) from error


def _add(names: dict[str, Any], document: Document, place: Place, values: Mapping[str, Any], budget: Budget) -> None:
    problems = []
    for name, value in values.items():
        if name in ROOTS:
            place_of_name = (*place, name)
            problems.append(document.problem(place_of_name, f"{'.'.join(map(str, place_of_name))}: {_RESERVED}"))
            continue
        try:
            names[name] = resolve(value, names, budget)
        except InvalidReference as error:
            problem = reference_problem(document, (*place, name), error)
            later = root_name(error.reference) in values and root_name(error.reference) not in names
            problems.append(f"{problem} (in this set it stands further down; move it up)" if later else problem)
    if problems:
        raise document.invalid(problems)
