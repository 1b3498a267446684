"""The ground that a program stands on: where it is started, and where it writes, decided before anything is made."""

from dataclasses import dataclass
from pathlib import Path

from ..tasks import TaskDescription
from .job_directory import JobDirectory
from .roots import output_goal, real_working_directory
from .site import Site

__all__ = ["Ground", "choose_ground"]


@dataclass(frozen=True)
class Ground:
    """What a program gets to know of the places it works in."""

    #: The task, with outputs under the names that its program writes them to.
    task: TaskDescription
    #: Where the program is started.
    directory: Path
    #: Folders in the attempt's directory that are made for outputs.
    folders: tuple[Path, ...]


def choose_ground(task: TaskDescription, directory: JobDirectory, site: Site) -> Ground:
    """Decide where a task's program is started and writes.

    Raises:
        CannotRun: when an output or the working directory would not be in the settings' `output_roots`.
    """
    working = real_working_directory(task, directory.work, site.output_roots)
    folders = []
    for name, staged in task.staged_outputs().items():
        output = getattr(task, name)
        if output.is_absolute():
            output_goal(output, site.output_roots)
        if output.is_absolute() or working != directory.work:
            folders.append(staged.parent)
    return Ground(task.with_staged_outputs(directory.work), working, tuple(folders))
