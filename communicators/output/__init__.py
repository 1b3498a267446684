"""What a program prints, or writes to a file that grows: bytes into files, the newest of it as messages."""

from .file_growth import FileGrowthCommunicator
from .fresh_file import fresh_file
from .json_lines import JsonLines
from .pipe import PipeCommunicator
from .progress_pattern import ProgressPattern
from .progress_reader import ProgressReader
from .progress_tally import ProgressTally

__all__ = [
    "FileGrowthCommunicator",
    "JsonLines",
    "PipeCommunicator",
    "ProgressPattern",
    "ProgressReader",
    "ProgressTally",
    "fresh_file",
]
