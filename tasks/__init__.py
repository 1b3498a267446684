"""What to run, as data."""

from .arguments import (
    Flag,
    NotAnArgument,
    Output,
    PassThrough,
    Positional,
    Stdin,
    Stdout,
    WorkingDirectory,
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
from .paths import (
    paths_in,
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
from .tally import (
    Tally,
)
from .third_party import (
    ThirdPartyTask,
)

__all__ = [
    "Buffering",
    "Cancelled",
    "Catalogue",
    "Channel",
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
    "Tally",
    "Task",
    "TaskDescription",
    "TaskField",
    "ThirdPartyTask",
    "WorkingDirectory",
    "load_catalogue",
    "module_being_loaded",
    "paths_in",
    "place_of",
    "task",
    "task_at",
]
