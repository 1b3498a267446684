"""Tasks about files, for tests: rendered ones, outputs anywhere, a folder to work in."""

import json
from pathlib import Path
from typing import Annotated, Any, ClassVar

import outrider
from outrider import Flag, NotAnArgument, Output, Positional, ProgramRun, ThirdPartyTask, WorkingDirectory


class Rendered(ThirdPartyTask):
    """Its program copies its configuration."""

    executable: ClassVar[str] = "sh"
    templates: ClassVar[dict[str, str | Path]] = {"conf/task.json": Path("task.json.j2")}

    script: Annotated[str, Flag("-c")] = (
        'while [ -n "$0" ] && [ ! -e "$0" ]; do sleep 0.05; done; cp conf/task.json "$1"'
    )
    source: Annotated[Path, NotAnArgument()]
    levels: Annotated[list[int], NotAnArgument()] = [1]
    wait_for: Annotated[str, Positional()] = ""
    made: Annotated[Path, Output(), Positional()]

    def read_result(self, run: ProgramRun) -> dict[str, Any]:
        return dict(json.loads(run.outputs["made"].read_text()))


class InFolder(ThirdPartyTask):
    """Its program is started in a folder of the user's."""

    executable: ClassVar[str] = "sh"
    script: Annotated[str, Flag("-c")] = 'touch left-here; pwd > "$0"'
    folder: Annotated[Path, WorkingDirectory()]
    made: Annotated[Path, Output(), Positional()] = Path("made.txt")

    def read_result(self, run: ProgramRun) -> str:
        return run.outputs["made"].read_text()


class StagesItself(outrider.Task):
    """Python code that leaves a file."""

    made: Annotated[Path, Output()]

    def run(self) -> str:
        self.made.write_text("made\n")
        return str(self.made)
