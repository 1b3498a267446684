"""A launch as a worker with these settings would plan it here."""

import asyncio
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path

from ..config import Settings, program_environment
from ..config.errors import CannotRun
from ..tasks import TaskDescription, environment_of
from .launch import Launch, find_program, plan_launch
from .launch_wrapper import LaunchWrappers
from .masking import MASK
from .shell_environment import captured_variables
from .shell_steps import ShellSteps
from .surroundings import Surroundings
from .sweep import WORKER_COOKIE, kill_all

__all__ = ["rehearse"]


def rehearse(
    task: TaskDescription, directory: Path, settings: Settings, cookies: Mapping[str, str], *, sourcing: bool = True
) -> tuple[Launch, list[CannotRun]]:
    """Plan a launch without starting the program or reading a secret; programs that are not here keep their names.

    It returns the plan, and what is wrong with these programs.

    Args:
        task: what would be run.
        directory: the working directory that is shown.
        settings: what an operator decided.
        cookies: what stands for those of a worker.
        sourcing: whether modules are loaded and scripts sourced, in a temporary directory, to know what they change.

    Raises:
        CannotRun: when it would fail before the start for another reason.
    """
    environment, inherited = environment_of(task), program_environment()
    captured = None
    if sourcing and environment.needs_shell:
        steps = ShellSteps.of(environment, inherited, settings.modules_init)
        captured = _captured(steps, {**inherited, **cookies})
    secrets = dict.fromkeys(environment.secrets, MASK)
    surroundings = Surroundings(captured, secrets, LaunchWrappers(settings.launch).of(task.name))
    troubles: list[CannotRun] = []

    def find(executable: str, path: str) -> str:
        try:
            return find_program(executable, path)
        except CannotRun as error:
            troubles.append(error)
            return executable

    return plan_launch(task, directory, inherited, cookies, surroundings, find), troubles


def _captured(steps: ShellSteps, inherited: Mapping[str, str]) -> dict[str, str]:
    ours = {WORKER_COOKIE: uuid.uuid4().hex}  # by which what scripts leave is found
    with tempfile.TemporaryDirectory(prefix="outrider-") as name:
        folder = Path(name, "work")
        folder.mkdir()
        try:
            return asyncio.run(captured_variables(steps, {**inherited, **ours}, folder, Path(name, "environment.log")))
        finally:
            kill_all(ours[WORKER_COOKIE])
