"""Small steps before and after a program."""

from .call import AskedFor, TaskletCall, tasklet_calls
from .celery_task import celery_task_of
from .checking import check_call, check_calls
from .decorator import CELERY_PREFIX, NAME_PATTERN, Tasklet, tasklet
from .files import checksum, concat_files, copy_file, link_file, move_file
from .filling import NOTHING, filled, takes_previous
from .notices import notify
from .parts import FilePart, NoticePart, ParametersPart, Shown, SummaryPart, TablePart, TextPart, WarningPart
from .path_arguments import PathArgument, Written, path_arguments
from .plain import clean
from .plan import PLACES, Place, PlannedTasklet, TaskletPlan
from .plots import plot, plot_curve
from .registry import Tasklets, load_tasklets
from .returned import shown, shows
from .scope import ROOTS, Scope
from .tables import Peak, read_table, strongest_peak
from .text import grep_text, key_values, parse_text
from .values import File, NewParameters, Notice, PlotData, Series, Table
from .words import call_from_words

__all__ = [
    "CELERY_PREFIX",
    "NAME_PATTERN",
    "NOTHING",
    "PLACES",
    "ROOTS",
    "AskedFor",
    "File",
    "FilePart",
    "NewParameters",
    "Notice",
    "NoticePart",
    "ParametersPart",
    "PathArgument",
    "Peak",
    "Place",
    "PlannedTasklet",
    "PlotData",
    "Scope",
    "Series",
    "Shown",
    "SummaryPart",
    "Table",
    "TablePart",
    "Tasklet",
    "TaskletCall",
    "TaskletPlan",
    "Tasklets",
    "TextPart",
    "WarningPart",
    "Written",
    "call_from_words",
    "celery_task_of",
    "check_call",
    "check_calls",
    "checksum",
    "clean",
    "concat_files",
    "copy_file",
    "filled",
    "grep_text",
    "key_values",
    "link_file",
    "load_tasklets",
    "move_file",
    "notify",
    "parse_text",
    "path_arguments",
    "plot",
    "plot_curve",
    "read_table",
    "shown",
    "shows",
    "strongest_peak",
    "takes_previous",
    "tasklet",
    "tasklet_calls",
]
