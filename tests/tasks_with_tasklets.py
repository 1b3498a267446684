"""Tasks that bring tasklets along, in one module with them."""

from pathlib import Path
from typing import Annotated, ClassVar

import outrider
from outrider import NewParameters, Positional, ProgramRun, Table, ThirdPartyTask
from outrider.tasklets import checksum


@outrider.tasklet
def doubled(number: int) -> NewParameters:
    """Double the number."""
    return NewParameters(number=2 * number)


@outrider.tasklet
def digits_of(number: int) -> Table:
    """List the digits of a number."""
    return Table(("place", "digit"), tuple(enumerate(str(number))))


@outrider.tasklet
def breaks(word: str = "broken") -> None:
    """Fail."""
    raise ValueError(word)


class Counted(ThirdPartyTask):
    """Print a number."""

    executable: ClassVar[str] = "sh"
    subcommand: ClassVar[tuple[str, ...]] = ("-c", 'echo "$1" | tee number.txt', "counted")
    before: ClassVar = (doubled.s("{{ parameters.number }}"),)
    after: ClassVar = ("digits_of", checksum.si("number.txt"))

    number: Annotated[int, Positional()]

    def read_result(self, run: ProgramRun) -> int:
        return int(run.stdout)


@outrider.task
def squared(number: int, folder: Path = Path()) -> int:
    """Square a number."""
    return number**2
