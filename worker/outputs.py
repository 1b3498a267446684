"""What a program left, against what its task declares."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ..communicators import OutputFile
from ..config.errors import CannotRun
from ..tasks import Output, TaskDescription
from .job_directory import JobDirectory
from .launch import input_paths

__all__ = ["check_inputs", "collect_outputs", "declared_outputs", "missing_outputs"]


def check_inputs(task: TaskDescription, directory: Path) -> None:
    """Make sure that every input file can be read.

    Raises:
        CannotRun: naming the first that cannot.
    """
    for path in input_paths(task):
        try:
            mode = os.stat(directory / path).st_mode
        except OSError as error:
            raise CannotRun("validation", f"cannot read the input {path}: {error.strerror}") from error
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            raise CannotRun("validation", f"the input {path} is a pipe or a socket, not a file")
        if not os.access(directory / path, os.R_OK):
            raise CannotRun("validation", f"cannot read the input {path}: permission denied")


def missing_outputs(task: TaskDescription, directory: JobDirectory) -> list[str]:
    """Return, for each declared output that is missing or empty against its declaration, a phrase that says so."""
    found: list[str] = []
    for name, path, staged_name, output in declared_outputs(task):
        try:
            staged = directory.staged(staged_name)
        except ValueError:
            found.append(f"{name} ({path}) is a link that leads out of the job directory")
            continue
        if staged is None:
            if not output.optional:
                found.append(f"{name} ({path}) was not written")
        elif not output.allow_empty and staged.stat().st_size == 0:
            found.append(f"{name} ({path}) is empty")
    return found


def collect_outputs(task: TaskDescription, directory: JobDirectory) -> dict[str, OutputFile]:
    """Move the declared outputs into place, and return them by field name with size and sha256.

    Raises:
        CannotRun: when one cannot go to its place.
    """
    collected: dict[str, OutputFile] = {}
    found = [(name, path, staged) for name, path, own, _ in declared_outputs(task) if (staged := directory.staged(own))]
    for name, path, staged in found:  # all were looked for before any is moved: links may lead from one to another
        place = directory.move_into_place(staged, path)
        collected[name] = OutputFile(path=place, size=place.stat().st_size, sha256=_sha256(place))
    return collected


def declared_outputs(task: TaskDescription) -> Iterator[tuple[str, Path, Path, Output]]:
    """Yield each output's name, where it shall go, where the program left it, and its declaration."""
    staged = task.staged_outputs()
    for field in task.task_fields():
        if field.output is not None and field.name in staged:
            yield field.parameter, getattr(task, field.name), staged[field.name], field.output


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
