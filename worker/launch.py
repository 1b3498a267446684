"""How exactly a program will be started: everything decided, nothing done."""

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..config.errors import CannotRun
from ..tasks import Stdin, Stdout, Task, TaskDescription, ThirdPartyTask, paths_in, place_of

__all__ = ["Launch", "input_paths", "plan_launch"]

#: What reads our pseudo-terminal is a file: no colours and no cursor movements, whatever terminal the worker came from.
_TERMINAL_VARIABLES = {"TERM": "dumb"}


@dataclass(frozen=True)
class Launch:
    """The words, folder and variables of a program to be started."""

    #: All words; the first is the path from the root of the program, or of what starts it.
    argv: tuple[str, ...]
    #: The program's path from the root.
    program: str
    directory: Path
    environment: Mapping[str, str]
    #: What of `environment` the worker does not have, or has otherwise.
    environment_difference: Mapping[str, str]
    stdin: Path | None
    stdout: Path | None
    #: Whether standard output is a pseudo-terminal.
    terminal: bool
    #: Small text files to write into the directory first, by name.
    input_files: Mapping[str, str]


def plan_launch(
    task: TaskDescription, directory: Path, inherited: Mapping[str, str], cookies: Mapping[str, str]
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
    executable, *words = command_of(task)
    buffering = task.buffering if isinstance(task, ThirdPartyTask) else "program"
    path = inherited.get("PATH", os.defpath)
    program, terminal = find_program(executable, path), buffering == "terminal"
    difference = {**_python_variables(task), **(_TERMINAL_VARIABLES if terminal else {}), **task.environment, **cookies}
    files = {type(field.place): getattr(task, field.name) for field in task.task_fields()}
    stdin, stdout = files.get(Stdin), files.get(Stdout)
    return Launch(
        argv=(*(_line_buffered(path) if buffering == "line" else ()), program, *words),
        program=program,
        directory=directory,
        environment={**inherited, **difference},
        environment_difference=difference,
        stdin=stdin and directory / stdin,
        stdout=stdout and directory / stdout,
        terminal=terminal,
        input_files=task.input_files(),
    )


def command_of(task: TaskDescription) -> tuple[str, ...]:
    """Return the words that start a task: a program's own, or a Python of ours that runs it."""
    match task:
        case ThirdPartyTask():
            return task.argv()
        case Task():
            return (sys.executable, "-m", "outrider.worker.first_party", place_of(type(task)))
        case _:
            raise CannotRun("validation", f"nobody knows how to start a {type(task).__name__}")


def _python_variables(task: TaskDescription) -> dict[str, str]:
    """Have a Python of ours find the modules that we find, and print at once."""
    if not isinstance(task, Task):
        return {}
    return {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUNBUFFERED": "1"}


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


def _line_buffered(path: str) -> tuple[str, ...]:
    """Return the words that make the C library of the program behind them write each line at once."""
    try:
        return find_program("stdbuf", path), "-oL", "-eL"
    except CannotRun as error:
        raise CannotRun(error.reason, f"{error}; buffering = 'line' needs it (GNU coreutils)") from error


def input_paths(task: TaskDescription) -> list[Path]:
    """Return the input files that the task names, in the order of its fields."""
    paths: list[Path] = []
    for field in task.task_fields():
        if field.output is None and not field.is_working_directory:
            paths += paths_in(getattr(task, field.name))
    return paths
