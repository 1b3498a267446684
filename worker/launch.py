"""How exactly a program will be started: everything decided, nothing done."""

import os
import shutil
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..config.errors import CannotRun
from ..tasks import Stdin, Stdout, ThirdPartyTask

__all__ = ["Launch", "input_paths", "plan_launch"]


@dataclass(frozen=True)
class Launch:
    """The words, folder and variables of a program to be started."""

    #: The first word is the program's path from the root.
    argv: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str]
    #: What of `environment` the worker does not have, or has otherwise.
    environment_difference: Mapping[str, str]
    stdin: Path | None
    stdout: Path | None
    #: Small text files to write into the directory first, by name.
    input_files: Mapping[str, str]


def plan_launch(
    task: ThirdPartyTask, directory: Path, inherited: Mapping[str, str], cookies: Mapping[str, str]
) -> Launch:
    """Decide how to start a task's program.

    Args:
        task: what to run.
        directory: the program's working directory; it need not exist yet.
        inherited: the variables that every program gets.
        cookies: the variables by which every descendant of the program is found.

    Raises:
        CannotRun: when there is no such program, or it may not be executed.
    """
    executable, *words = task.argv()
    difference = {**task.environment, **cookies}
    files = {type(field.place): getattr(task, field.name) for field in task.task_fields()}
    stdin, stdout = files.get(Stdin), files.get(Stdout)
    return Launch(
        argv=(find_program(executable, inherited.get("PATH", os.defpath)), *words),
        directory=directory,
        environment={**inherited, **difference},
        environment_difference=difference,
        stdin=stdin and directory / stdin,
        stdout=stdout and directory / stdout,
        input_files=task.input_files(),
    )


def find_program(executable: str, path: str) -> str:
    """Return a program's path: as given, or found on `path` or among the scripts of this Python's environment.

    Raises:
        CannotRun: when it is missing or not executable.
    """
    if os.sep in executable:
        found: str | None = os.path.abspath(executable)
    else:
        found = shutil.which(executable, path=f"{path}{os.pathsep}{sysconfig.get_path('scripts')}")
        found = found and os.path.abspath(found)
    if found is None or not os.path.exists(found):
        raise CannotRun("environment", f"there is no program {executable!r} on this worker; PATH is {path}")
    if not os.access(found, os.X_OK) or os.path.isdir(found):
        raise CannotRun("environment", f"{found} is not executable; give it the x permission")
    return found


def input_paths(task: ThirdPartyTask) -> list[Path]:
    """Return the input files that the task names, in the order of its fields."""
    paths: list[Path] = []
    for field in task.task_fields():
        value = getattr(task, field.name)
        if field.is_input and value is not None:
            paths += value if isinstance(value, list | tuple) else [value]
    return paths
