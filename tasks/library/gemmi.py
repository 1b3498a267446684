"""`gemmi`, the command-line tool of the macromolecular crystallography library (PyPI: gemmi-program)."""

import json
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from ..arguments import Flag, Output, Positional
from ..program_run import ProgramRun
from ..third_party import ThirdPartyTask

__all__ = ["ConvertCif", "ValidateCif"]


class ConvertCif(ThirdPartyTask):
    """Translate a CIF file to JSON (`gemmi cif2json`); the result is the JSON document."""

    executable: ClassVar[str] = "gemmi"
    subcommand: ClassVar[tuple[str, ...]] = ("cif2json",)
    version_arguments: ClassVar[tuple[str, ...]] = ("--version",)

    mmjson: Annotated[bool, Flag("--mmjson")] = False
    bare_tags: Annotated[bool, Flag()] = False
    numbers: Annotated[Literal["quote", "nosu", "mix"], Flag("--numb", joined="=")] = "mix"
    skip_category: Annotated[list[str], Flag(joined="=", repeat=True)] = []
    structure: Annotated[Path, Positional()]
    output: Annotated[Path, Output(), Positional()] = Path("structure.json")

    def read_result(self, run: ProgramRun) -> dict[str, Any]:
        """Return the document that gemmi wrote."""
        document: dict[str, Any] = json.loads(run.outputs["output"].read_text())
        return document


class ValidateCif(ThirdPartyTask):
    """Check the syntax of CIF files (`gemmi validate`); a file with an error makes the job fail with gemmi's words."""

    executable: ClassVar[str] = "gemmi"
    subcommand: ClassVar[tuple[str, ...]] = ("validate",)
    version_arguments: ClassVar[tuple[str, ...]] = ("--version",)

    verbose: Annotated[bool, Flag("--verbose")] = True
    fast: Annotated[bool, Flag("--fast")] = False
    dictionary: Annotated[Path | None, Flag("--ddl", joined="=")] = None
    files: Annotated[list[Path], Positional()]
