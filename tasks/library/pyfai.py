"""`pyFAI-integrate`, azimuthal integration of X-ray diffraction images (PyPI: pyFAI)."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..arguments import Flag, NotAnArgument, Output, Positional
from ..program_run import ProgramRun
from ..third_party import ThirdPartyTask

__all__ = ["IntegrateImages", "Pattern"]

RadialUnit = Literal["q_nm^-1", "q_A^-1", "2th_deg", "2th_rad", "r_mm"]

_CONFIGURATION = """\
{
  "poni": {{ geometry | tojson }},
  "nbpt_rad": {{ bins }},
  "unit": {{ unit | tojson }},
  "method": [{{ pixel_splitting | tojson }}, {{ algorithm | tojson }}, "cython"],
  "error_model": "no"
}
"""


class Pattern(BaseModel):
    """A powder diffraction pattern: intensity over the radial axis, the mean of all frames."""

    model_config = ConfigDict(frozen=True)

    unit: RadialUnit
    #: The middle of each bin, in `unit`.
    radial: list[float]
    #: Corrected counts per pixel in each bin; 0 where no valid pixel lies.
    intensity: list[float]
    frames: int


class IntegrateImages(ThirdPartyTask):
    """Integrate diffraction images over their rings (`pyFAI-integrate`); the result is the mean pattern."""

    executable: ClassVar[str] = "pyFAI-integrate"
    subcommand: ClassVar[tuple[str, ...]] = ("--no-gui", "--json", "integration.json")
    progress: ClassVar[str | None] = r"\] +(?P<percent>\d+)%"
    version_arguments: ClassVar[tuple[str, ...]] = ("--version",)
    templates: ClassVar[dict[str, str | Path]] = {
        "integration.json": _CONFIGURATION
    }  # without one it integrates nothing

    #: Any format that fabio reads; a file may hold more than one frame.
    images: Annotated[list[Path], Field(min_length=1), Positional()]
    #: The calibrated detector, a .poni file.
    geometry: Annotated[Path, NotAnArgument()]
    output: Annotated[Path, Output(), Flag("--output")] = Path("pattern.h5")
    bins: Annotated[int, Field(ge=2), NotAnArgument()] = 500
    unit: Annotated[RadialUnit, NotAnArgument()] = "q_nm^-1"
    #: How a pixel is shared between the bins that it touches: not at all, by its bounding box, or by its true shape.
    pixel_splitting: Annotated[Literal["no", "bbox", "full"], NotAnArgument()] = "full"
    #: All give the same pattern; a matrix (all but `histogram`) takes longer for the first frame and less for the rest.
    algorithm: Annotated[Literal["histogram", "csr", "csc", "lut"], NotAnArgument()] = "histogram"

    @field_validator("output")
    @classmethod
    def _is_hdf5(cls, value: Path) -> Path:
        if value.suffix != ".h5":  # pyFAI tells the format by the name, and takes any other for a folder
            raise ValueError("the name must end in .h5")
        return value

    def read_result(self, run: ProgramRun) -> Pattern:
        """Return the mean pattern.

        Raises:
            ValueError: when pyFAI left out frames or took another unit; it does both with exit code 0.
        """
        unit, radial, intensities = _read_hdf5(run.outputs["output"])
        if unit != self.unit:
            raise ValueError(f"pyFAI integrated over {unit}, not over {self.unit} as asked")
        if len(intensities) < len(self.images):
            raise ValueError(
                f"pyFAI integrated {len(intensities)} frames of {len(self.images)} images; "
                "it leaves out files that it cannot find"
            )
        intensity = intensities.mean(axis=0).tolist()
        return Pattern(unit=self.unit, radial=radial, intensity=intensity, frames=len(intensities))


def _read_hdf5(path: Path) -> tuple[str, list[float], Any]:
    """Return the radial axis's unit and values, and the intensities, an array of one row per frame."""
    import h5py  # of the extra `demo`; who only submits does without

    with h5py.File(path, "r") as file:
        entry = file[file.attrs["default"]]  # the NeXus way to the results
        results = entry[entry.attrs["default"]]
        radial = results["radial"]
        return _unit(radial.attrs["name"], radial.attrs["unit"]), radial[()].tolist(), results["data"][()]


def _unit(name: str, unit: str) -> str:
    r"""Return an axis's unit as it is asked for: some versions of pyFAI write `nm^-1` into the file, some `nm^{-1}`.

    >>> _unit("q", r"\AA^{-1}")
    'q_A^-1'
    """
    return f"{name}_{unit}".replace(r"\AA", "A").replace("{", "").replace("}", "")
