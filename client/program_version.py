"""What a task's program says of its version on this machine."""

from pathlib import Path

from ..config import program_environment
from ..config.errors import CannotRun
from ..tasks import TaskDescription, ThirdPartyTask
from ..worker import plan_launch, version_answer

__all__ = ["program_version_here"]

_TIMEOUT_SECONDS = 5.0


def program_version_here(task: TaskDescription) -> str:
    """Return the first line that the program prints when asked; empty when it cannot be asked here."""
    if not isinstance(task, ThirdPartyTask) or not task.version_arguments:
        return ""
    try:
        launch = plan_launch(task, Path.cwd(), program_environment(), {})
        return version_answer((launch.program, *task.version_arguments), launch.environment, _TIMEOUT_SECONDS)
    except (CannotRun, OSError):
        return ""
