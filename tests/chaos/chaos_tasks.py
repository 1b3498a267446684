"""The task of the chaos test: its right output is a function of its parameters, so a wrong one is seen."""

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

from outrider import Output, Positional, ProgramRun, ThirdPartyTask

__all__ = ["Digest", "Manner"]


class Manner(StrEnum):
    """How a program behaves while it takes its time."""

    PLAIN = "plain"
    #: Leaves a child in its own group.
    FORK = "fork"
    #: Leaves a family in another session.
    ESCAPE = "escape"
    #: Ignores TERM.
    DEAF = "deaf"
    #: Ends with exit code 3.
    FAIL = "fail"


class Digest(ThirdPartyTask):
    """Write the sha256 of a number, after a while."""

    executable: ClassVar[str] = str(Path(__file__).with_name("work"))

    number: Annotated[int, Positional()]
    seconds: Annotated[float, Positional()]
    manner: Annotated[Manner, Positional()]
    file: Annotated[Path, Output(), Positional()] = Path("digest.txt")

    def read_result(self, run: ProgramRun) -> str:
        """Return what the program wrote."""
        return run.outputs["file"].read_text()

    def right_result(self) -> str:
        """Return what it must write."""
        return hashlib.sha256(str(self.number).encode()).hexdigest() + "\n"
