"""`vina` (AutoDock Vina), docking of small molecules into proteins (Debian: autodock-vina)."""

import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..arguments import Flag, Output
from ..program_run import ProgramRun
from ..tally import Tally
from ..third_party import ThirdPartyTask

__all__ = ["BindingMode", "DockLigand", "Docking"]

#: The stars of a full bar, under a ruler that is as wide.
_STARS = 51
_NUMBER = r"\s+(-?[\d.]+)"
_MODE = re.compile(rf"^REMARK VINA RESULT:{_NUMBER}{_NUMBER}{_NUMBER}", re.MULTILINE)
_SEED = re.compile(r"random seed: (-?\d+)")


class BindingMode(BaseModel):
    """One way in which the ligand binds."""

    model_config = ConfigDict(frozen=True)

    #: In kcal/mol; less is better.
    affinity: float
    #: Distance from the best mode in Å: atoms of one element may be exchanged for the lower bound, none for the upper.
    rmsd_lower: float
    rmsd_upper: float


class Docking(BaseModel):
    """The binding modes that were found, the best one first, and the seed that leads to them again."""

    model_config = ConfigDict(frozen=True)

    modes: list[BindingMode]
    seed: int


class DockLigand(ThirdPartyTask):
    """Dock a ligand into a receptor (`vina`); the result is the affinities, the poses are an output."""

    executable: ClassVar[str] = "vina"
    progress: ClassVar[Tally] = Tally(r"\*", total=_STARS, unit="steps")
    version_arguments: ClassVar[tuple[str, ...]] = ("--version",)

    #: PDBQT, rigid.
    receptor: Annotated[Path, Flag()]
    #: PDBQT, the receptor's side chains that move.
    flexible: Annotated[Path | None, Flag("--flex")] = None
    #: PDBQT.
    ligand: Annotated[Path, Flag()]
    #: The middle of the box that is searched, and its sides, in Å.
    center_x: Annotated[float, Flag("--center_x", joined="=")]
    center_y: Annotated[float, Flag("--center_y", joined="=")]
    center_z: Annotated[float, Flag("--center_z", joined="=")]
    size_x: Annotated[float, Field(gt=0), Flag("--size_x", joined="=")]
    size_y: Annotated[float, Field(gt=0), Flag("--size_y", joined="=")]
    size_z: Annotated[float, Field(gt=0), Flag("--size_z", joined="=")]
    output: Annotated[Path, Output(), Flag("--out")] = Path("poses.pdbqt")
    scoring: Annotated[Literal["vina", "vinardo"], Flag()] = "vina"
    #: Searches that are made; time grows with it.
    exhaustiveness: Annotated[int, Field(ge=1), Flag()] = 8
    #: Threads; vina itself would take all of the machine.
    cpu: Annotated[int, Field(ge=1), Flag()] = 1
    #: The same seed gives the same result on the same machine; without one vina takes any.
    seed: Annotated[int | None, Field(ge=1, lt=2**31), Flag()] = None
    modes: Annotated[int, Field(ge=1), Flag("--num_modes")] = 9
    #: Worse modes than the best one plus so many kcal/mol are left out.
    energy_range: Annotated[float, Field(gt=0), Flag("--energy_range")] = 3.0

    def read_result(self, run: ProgramRun) -> Docking:
        """Return the modes.

        Raises:
            ValueError: when vina says no seed, as another version may.
        """
        found = _MODE.findall(run.outputs["output"].read_text())
        modes = [BindingMode(affinity=best, rmsd_lower=low, rmsd_upper=high) for best, low, high in found]
        if (seed := _SEED.search(run.stdout)) is None:
            raise ValueError("vina did not print its random seed")
        return Docking(modes=modes, seed=int(seed[1]))
