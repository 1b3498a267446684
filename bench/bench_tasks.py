"""The programs of the benchmark as Outrider tasks."""

from pathlib import Path
from typing import Annotated

from outrider import Positional, ProgramRun, ThirdPartyTask

__all__ = ["FLOOD_PROGRAM", "Flood", "Nap", "Nothing"]

FLOOD_PROGRAM = str(Path(__file__).with_name("flood"))


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
