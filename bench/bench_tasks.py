"""The programs of the benchmark as Outrider tasks."""

import sys
from pathlib import Path
from typing import Annotated

from outrider import Positional, ProgramRun, Task, ThirdPartyTask

__all__ = ["FLOOD_PROGRAM", "TALK_PROGRAM", "Flood", "Nap", "Nothing", "Report", "Talk"]

FLOOD_PROGRAM = str(Path(__file__).with_name("flood"))
TALK_PROGRAM = str(Path(__file__).with_name("talk.py"))


class Nothing(ThirdPartyTask):
    """Do nothing, as fast as the system starts and ends a program."""

    executable = "/bin/true"

    def read_result(self, run: ProgramRun) -> int:
        """Return what the plain task returns, too."""
        return run.exit_code


class Nap(ThirdPartyTask):
    """Take memory, and no time of a processor."""

    executable = "sleep"
    seconds: Annotated[int, Positional()]


class Flood(ThirdPartyTask):
    """Write lines as fast as they are taken."""

    executable = FLOOD_PROGRAM
    size: Annotated[int, Positional()]


class Talk(ThirdPartyTask):
    """Print the clock, a line every so many milliseconds."""

    executable = sys.executable
    program: Annotated[str, Positional()] = TALK_PROGRAM
    count: Annotated[int, Positional()]
    period: Annotated[int, Positional()]


class Report(Task):
    """Report numbers as fast as they are taken."""

    count: int

    def run(self) -> None:
        """Report each."""
        for number in range(self.count):
            self.report(number)
