"""What to run, as data."""

from .arguments import Flag, NotAnArgument, Output, PassThrough, Positional, Stdin, Stdout
from .catalogue import Catalogue, load_catalogue
from .fields import TaskField
from .program_run import ProgramRun
from .third_party import ThirdPartyTask

__all__ = [
    "Catalogue",
    "Flag",
    "NotAnArgument",
    "Output",
    "PassThrough",
    "Positional",
    "ProgramRun",
    "Stdin",
    "Stdout",
    "TaskField",
    "ThirdPartyTask",
    "load_catalogue",
]
