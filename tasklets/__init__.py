"""Small steps before and after a program."""

from .call import TaskletCall, tasklet_calls
from .celery_task import celery_task_of
from .decorator import CELERY_PREFIX, Tasklet, tasklet
from .files import checksum, concat_files, copy_file, link_file, move_file
from .filling import NOTHING, check_calls, filled, takes_previous, without
from .notices import notify
from .parts import FilePart, NoticePart, ParametersPart, Shown, SummaryPart, TablePart, TextPart, WarningPart
from .plots import plot, plot_curve
from .registry import Tasklets, load_tasklets
from .returned import shown, shows
from .tables import Peak, read_table, strongest_peak
from .text import grep_text, key_values, parse_text
from .values import File, NewParameters, Notice, PlotData, Series, Table

__all__ = [
    "CELERY_PREFIX",
    "NOTHING",
    "File",
    "FilePart",
    "NewParameters",
    "Notice",
    "NoticePart",
    "ParametersPart",
    "Peak",
    "PlotData",
    "Series",
    "Shown",
    "SummaryPart",
    "Table",
    "TablePart",
    "Tasklet",
    "TaskletCall",
    "Tasklets",
    "TextPart",
    "WarningPart",
    "celery_task_of",
    "check_calls",
    "checksum",
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
    "plot",
    "plot_curve",
    "read_table",
    "shown",
    "shows",
    "strongest_peak",
    "takes_previous",
    "tasklet",
    "tasklet_calls",
    "without",
]
