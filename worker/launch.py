"""How exactly a program will be started: everything decided, nothing done."""

import dataclasses
import os
import shutil
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..config.errors import CannotRun
from ..tasks import Stdin, Stdout, Task, TaskDescription, ThirdPartyTask, paths_in, place_of
from .launch_environment import launch_environment, shown_difference
from .launch_wrapper import LaunchWrapper
from .own_child import MODULE
from .surroundings import Surroundings

__all__ = ["Launch", "input_paths", "plan_launch"]

#: What makes the C library of the program behind it write each line at once.
_LINE_BUFFERED = ("stdbuf", "-oL", "-eL")
_NOTHING = Surroundings()


@dataclass(frozen=True)
class Launch:
    """The words, folder and variables of a program to be started."""

    #: All words; the first is the path from the root of the program, or of what starts it.
    argv: tuple[str, ...]
    #: The program's path from the root.
    program: str
    directory: Path
    #: It may hold secrets: never to be shown.
    environment: Mapping[str, str] = dataclasses.field(repr=False)
    #: What of `environment` the worker does not have, or has otherwise; secrets are masked.
    environment_difference: Mapping[str, str] = dataclasses.field(default_factory=dict)
    #: The variables that the worker has and the program has not.
    unset: tuple[str, ...] = ()
    stdin: Path | None = None
    stdout: Path | None = None
    #: Whether standard output is a pseudo-terminal.
    terminal: bool = False
    #: Small text files to write into the directory first, by name.
    input_files: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def is_wrapped(self) -> bool:
        """Whether what is started is another program, which starts this one."""
        return self.argv[0] != self.program


def plan_launch(
    task: TaskDescription,
    directory: Path,
    inherited: Mapping[str, str],
    cookies: Mapping[str, str],
    surroundings: Surroundings = _NOTHING,
    find: Callable[[str, str], str] | None = None,
) -> Launch:
    """Decide how to start a task's program.

    Args:
        task: what to run.
        directory: the program's working directory; it need not exist yet.
        inherited: the variables that every program gets.
        cookies: the variables by which every descendant of the program is found.
        surroundings: what the worker adds.
        find: what looks for a program on a path, if not `find_program`.

    Raises:
        CannotRun: when there is no such program, or it may not be executed.
    """
    executable, *words = command_of(task)
    find = find or find_program
    terminal = isinstance(task, ThirdPartyTask) and task.buffering == "terminal"
    environment = launch_environment(task, inherited, surroundings) | dict(cookies)
    path = environment.get("PATH", os.defpath)
    program = executable if surroundings.wrapper.finds_program else find(executable, path)
    values = {"directory": str(directory), "job_id": cookies.get("OUTRIDER_JOB", ""), "task": task.name}
    files = {type(field.place): getattr(task, field.name) for field in task.task_fields()}
    stdin, stdout = files.get(Stdin), files.get(Stdout)
    return Launch(
        argv=(*_command(task, program, surroundings.wrapper, values, lambda name: find(name, path)), *words),
        program=program,
        directory=directory,
        environment=environment,
        environment_difference=shown_difference(environment, inherited, surroundings.secrets),
        unset=tuple(name for name in inherited if name not in environment),
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
            return (sys.executable, "-m", MODULE, place_of(type(task)))
        case _:
            raise CannotRun("validation", f"nobody knows how to start a {type(task).__name__}")


def _command(
    task: TaskDescription,
    program: str,
    wrapper: LaunchWrapper,
    values: Mapping[str, str],
    find: Callable[[str], str],
) -> tuple[str, ...]:
    """Return the words up to the program's arguments; the first is the path of what is started."""
    buffered: tuple[str, ...] = ()
    if isinstance(task, ThirdPartyTask) and task.buffering == "line":
        buffered = _LINE_BUFFERED if wrapper.finds_program else (_stdbuf(find), *_LINE_BUFFERED[1:])
    if not wrapper.words:
        return (*buffered, program)
    first, *words = wrapper.around((*buffered, program), values)
    try:
        return (find(first), *words)
    except CannotRun as error:
        raise CannotRun(error.reason, f"{error}; OUTRIDER_LAUNCH begins with it") from error


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
        raise CannotRun("environment", f"there is no program {executable!r} on this machine; PATH is {path}")
    if not os.access(found, os.X_OK) or os.path.isdir(found):
        raise CannotRun("environment", f"{found} is not executable; give it the x permission")
    return found


def _stdbuf(find: Callable[[str], str]) -> str:
    try:
        return find("stdbuf")
    except CannotRun as error:
        raise CannotRun(error.reason, f"{error}; buffering = 'line' needs it (GNU coreutils)") from error


def input_paths(task: TaskDescription) -> list[Path]:
    """Return the input files that the task names, in the order of its fields."""
    paths: list[Path] = []
    for field in task.task_fields():
        if field.output is None and not field.is_working_directory:
            paths += paths_in(getattr(task, field.name))
    return paths
