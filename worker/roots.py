"""In which folders a job's paths must lie, wherever links lead."""

import os
from collections.abc import Iterable
from pathlib import Path

from ..config.errors import CannotRun
from ..tasks import TaskDescription
from .launch import input_paths

__all__ = ["check_input_roots", "lies_in", "output_goal", "real_working_directory"]


def check_input_roots(task: TaskDescription, directory: Path, own: Iterable[Path], roots: tuple[Path, ...]) -> None:
    """Make sure that every input lies in one of the roots, if there are any.

    Args:
        task: whose inputs they are.
        directory: what relative paths start from.
        own: the job's own folders, which are as good as a root.
        roots: the settings' `input_roots`.

    Raises:
        CannotRun: naming the first that does not, and where it leads.
    """
    if not roots:
        return
    allowed = (*roots, *(_real(path) for path in own))
    for path in input_paths(task):
        real = _real(directory / path)
        if _root_of(real, allowed) is None:
            raise CannotRun("validation", f"the input {_leading(path, real)} lies in none of {_listed('INPUT', roots)}")


def lies_in(path: Path, roots: Iterable[Path]) -> bool:
    """Say whether a file lies in one of some folders, wherever links lead."""
    return _root_of(_real(path), map(_real, roots)) is not None


def output_goal(output: Path, roots: tuple[Path, ...]) -> tuple[Path, Path]:
    """Return the root, and the place in it, of an output that is named from the root.

    Links on the way are followed; one in its place is not, since the output replaces it.

    Raises:
        CannotRun: when it lies in no root, or cannot be written there.
    """
    place = _real(output.parent) / output.name
    root = _root_of(place.parent, roots)
    if root is None:
        where = _leading(output, place)
        raise CannotRun("validation", f"the output {where} lies in none of {_listed('OUTPUT', roots)}")
    if os.path.isdir(place) and not os.path.islink(place):
        raise CannotRun("validation", f"the output {output} is a folder; name a file")
    existing = next(folder for folder in place.parents if os.path.lexists(folder))
    if not os.path.isdir(existing) or not os.access(existing, os.W_OK | os.X_OK):
        raise CannotRun("validation", f"the output {output} cannot be written: no files can be made in {existing}")
    return root, place


def real_working_directory(task: TaskDescription, own: Path, roots: tuple[Path, ...]) -> Path:
    """Return the folder to start a task's program in, with links followed: the one it names, or the job's own.

    Raises:
        CannotRun: when it names one that is not there or lies in no root.
    """
    named = task.working_directory()
    if named is None:
        return own
    real = _real(named)
    if not named.is_absolute() or not os.path.isdir(real):
        raise CannotRun("validation", f"the working directory {_leading(named, real)} is no folder on this worker")
    if _root_of(real, roots) is None:
        where = _leading(named, real)
        raise CannotRun("validation", f"the working directory {where} lies in none of {_listed('OUTPUT', roots)}")
    if not os.access(real, os.X_OK):
        raise CannotRun("validation", f"the working directory {named} cannot be entered: permission denied")
    return real


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _root_of(path: Path, roots: Iterable[Path]) -> Path | None:
    return next((root for root in roots if path.is_relative_to(root)), None)


def _leading(path: Path, real: Path) -> str:
    return str(path) if path == real else f"{path}, which leads to {real},"


def _listed(what: str, roots: tuple[Path, ...]) -> str:
    return f"OUTRIDER_{what}_ROOTS, which names {' and '.join(map(str, roots)) or 'no folder'}"
