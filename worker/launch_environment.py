"""The variables that a program is started with, and what of them is new to the worker."""

import os
import sys
from collections.abc import Collection, Mapping

from ..tasks import Task, TaskDescription, ThirdPartyTask, applied, environment_of
from .masking import masked
from .surroundings import Surroundings

__all__ = ["launch_environment", "shown_difference"]

#: What reads our pseudo-terminal is a file: no colours and no cursor movements, whatever terminal the worker came from.
_TERMINAL_VARIABLES = {"TERM": "dumb"}


def launch_environment(
    task: TaskDescription, inherited: Mapping[str, str], surroundings: Surroundings
) -> dict[str, str]:
    """Return the variables of a task's program, without our cookies. They may hold secrets."""
    variables = dict(inherited if surroundings.captured is None else surroundings.captured)
    if isinstance(task, Task):
        variables |= _python_variables(variables.get("PYTHONPATH", ""))
    if isinstance(task, ThirdPartyTask) and task.buffering == "terminal":
        variables |= _TERMINAL_VARIABLES
    return applied(environment_of(task), variables, surroundings.secrets)


def shown_difference(
    environment: Mapping[str, str], inherited: Mapping[str, str], secrets: Collection[str]
) -> dict[str, str]:
    """Return what is new in an environment, or changed, fit to be shown; `secrets` names the variables that hold one."""
    new = {name: value for name, value in environment.items() if inherited.get(name) != value or name in secrets}
    return masked(new, secrets)


def _python_variables(path: str) -> dict[str, str]:
    """Have a Python of ours find the modules that we find, then those on `path`, and print at once."""
    folders = dict.fromkeys(filter(None, (*sys.path, *path.split(os.pathsep))))
    return {"PYTHONPATH": os.pathsep.join(folders), "PYTHONUNBUFFERED": "1"}
