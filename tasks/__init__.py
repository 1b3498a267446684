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
from .being_loaded import (
    module_being_loaded,
)
from .buffering import (
    Buffering,
)
from .catalogue import (
    Catalogue,
    load_catalogue,
)
from .channel import (
    Cancelled,
    Channel,
    context_of,
    current_channel,
)
from .definitions import (
    definition_digest,
    definition_file,
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
from .job_description import (
    JobDescription,
)
from .job_file import (
    load_job,
    load_parameters,
)
from .paths import (
    paths_in,
)
from .place import (
    class_at,
    is_found_at_its_place,
    place_of,
    task_at,
)
from .program_run import (
    ProgramRun,
)
from .programs import (
    load_program,
)
from .progress import (
    FileGrowth,
    JsonProgress,
)
from .result_type import (
    adapter_of,
)
from .schemas import (
    job_schema,
    program_schema,
    task_schema,
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
    "Environment",
    "FileGrowth",
    "Flag",
    "FunctionTask",
    "JobDescription",
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
    "adapter_of",
    "applied",
    "class_at",
    "context_of",
    "current_channel",
    "definition_digest",
    "definition_file",
    "environment_of",
    "is_found_at_its_place",
    "job_schema",
    "load_catalogue",
    "load_job",
    "load_parameters",
    "load_program",
    "module_being_loaded",
    "paths_in",
    "place_of",
    "program_schema",
    "task",
    "task_at",
    "task_schema",
]
