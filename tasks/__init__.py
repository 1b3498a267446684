"""What to run, as data."""

from .arguments import (
    Flag,
    NotAnArgument,
    Output,
    PassThrough,
    Positional,
    Stdin,
    Stdout,
)
from .buffering import (
    Buffering,
)
from .catalogue import Catalogue, load_catalogue, module_being_loaded
from .channel import (
    Cancelled,
    Channel,
)
from .description import (
    TaskDescription,
)
from .environment import (
    Environment,
    applied,
    environment_of,
)
from .fields import (
    TaskField,
)
from .first_party import (
    Task,
)
from .function_task import (
    FunctionTask,
    task,
)
from .place import (
    place_of,
    task_at,
)
from .program_run import (
    ProgramRun,
)
from .progress import (
    FileGrowth,
    JsonProgress,
)
from .third_party import (
    ThirdPartyTask,
)

__all__ = [
    "Buffering",
    "Cancelled",
    "Catalogue",
    "Channel",
    "Environment",
    "FileGrowth",
    "Flag",
    "FunctionTask",
    "JsonProgress",
    "NotAnArgument",
    "Output",
    "PassThrough",
    "Positional",
    "ProgramRun",
    "Stdin",
    "Stdout",
    "Task",
    "TaskDescription",
    "TaskField",
    "ThirdPartyTask",
    "applied",
    "environment_of",
    "load_catalogue",
    "module_being_loaded",
    "place_of",
    "task",
    "task_at",
]
