"""What can be submitted, typed by the result that it promises."""

from typing import Protocol, TypeVar

from ..tasks import ProgramRun

__all__ = ["HasResult"]

R_co = TypeVar("R_co", covariant=True)


class ReadsResult(Protocol[R_co]):
    """A third-party task, typed by what it makes of its program's run."""

    def read_result(self, run: ProgramRun) -> R_co:
        """Return the job's result."""


class Runs(Protocol[R_co]):
    """A first-party task, typed by what it returns."""

    def run(self) -> R_co:
        """Do the work, and return the job's result."""


HasResult = ReadsResult[R_co] | Runs[R_co]
