"""What a task's program says of its version on this machine."""

import subprocess
from pathlib import Path

from ..config import program_environment
from ..config.errors import CannotRun
from ..tasks import TaskDescription, ThirdPartyTask
from ..worker import plan_launch

__all__ = ["program_version_here"]

_TIMEOUT_SECONDS = 5.0
_LONGEST = 200


def program_version_here(task: TaskDescription) -> str:
    """Return the first line that the program prints when asked; empty when it cannot be asked here."""
    if not isinstance(task, ThirdPartyTask) or not task.version_arguments:
        return ""
    try:
        launch = plan_launch(task, Path.cwd(), program_environment(), {})
        answer = subprocess.run(
            [launch.program, *task.version_arguments],
            env=launch.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except (CannotRun, OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout[:4096].decode("utf-8", "replace").partition("\n")[0].strip()[:_LONGEST]
