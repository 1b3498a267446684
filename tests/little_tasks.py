"""Little tasks around little programs, for tests; workers of the tests import them by OUTRIDER_TASKS."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar

from outrider import (
    Buffering,
    FileGrowth,
    Flag,
    JsonProgress,
    NotAnArgument,
    Output,
    Positional,
    ProgramRun,
    ThirdPartyTask,
)


class Shell(ThirdPartyTask):
    """Run a line of sh: what a test needs is easiest said there."""

    executable: ClassVar[str] = "sh"
    progress: ClassVar[str | None] = r"at (?P<done>\d+) of (?P<total>\d+) (?P<unit>\w+)"

    script: Annotated[str, Flag("-c")]
    words: Annotated[list[str], Positional()] = []


class ShellWithOutput(Shell):
    """The same, with a file that must be there in the end."""

    output: Annotated[Path, Output()] = Path("made.txt")

    def read_result(self, run: ProgramRun) -> str:
        return run.outputs["output"].read_text()


class Returns(ThirdPartyTask):
    """Its result is its parameter."""

    executable: ClassVar[str] = "true"

    value: Annotated[Any, NotAnArgument()] = None

    def read_result(self, run: ProgramRun) -> Any:
        return self.value


class Sleep(ThirdPartyTask):
    """Sleep for a while."""

    executable: ClassVar[str] = "sleep"

    seconds: Annotated[float, Positional()]


class Sum(ThirdPartyTask):
    """Typed parameters and a typed result."""

    executable: ClassVar[str] = "sh"
    subcommand: ClassVar[tuple[str, ...]] = ("-c", 'echo "$(($1 + $2))"', "sum")

    left: Annotated[int, Positional()]
    right: Annotated[int, Positional()]

    def read_result(self, run: ProgramRun) -> int:
        return int(run.stdout)


class CopyFile(ThirdPartyTask):
    """An input and an output."""

    executable: ClassVar[str] = "cp"

    source: Annotated[Path, Positional()]
    copy_name: Annotated[Path, Output(), Positional()] = Path("copy")


class TouchesItsInput(ThirdPartyTask):
    """It changes what it was given."""

    executable: ClassVar[str] = "touch"

    source: Annotated[Path, Positional()]


class NoProgram(ThirdPartyTask):
    """Its program does not exist."""

    executable: ClassVar[str] = "no-such-program"


class Alone(Sleep):
    """It must never run twice at a time."""

    exclusive: ClassVar[bool] = True


class Leaves(ThirdPartyTask):
    """Its result is more than can be had."""

    executable: ClassVar[str] = "true"

    how: Annotated[str, NotAnArgument()]

    def read_result(self, run: ProgramRun) -> Any:
        match self.how:
            case "surrogate":
                return "\udcff"
            case "deep":
                value: list[Any] = []
                for _ in range(300):
                    value = [value]
                return value
            case name:
                raise {"SystemExit": SystemExit, "KeyboardInterrupt": KeyboardInterrupt}.get(name, RecursionError)(name)


class LineBuffered(Shell):
    """Its programs write each line at once."""

    buffering: ClassVar[Buffering] = "line"


class InTerminal(Shell):
    """Its programs print to a terminal."""

    buffering: ClassVar[Buffering] = "terminal"


class ByJson(Shell):
    """Its progress is in JSON lines."""

    progress: ClassVar[Any] = JsonProgress(done="at.frame", total="frames", unit="frames")


class Grows(ShellWithOutput):
    """Its progress is the size of its output."""

    progress: ClassVar[Any] = FileGrowth(
        field="output", expected=lambda task: task.mebibytes * 2**20, interval=timedelta(seconds=0.1)
    )
    mebibytes: Annotated[int, NotAnArgument()]

    def read_result(self, run: ProgramRun) -> int:
        return run.outputs["output"].stat().st_size
