"""`source-extractor` (SExtractor), catalogues of the sources in astronomical images (Debian: source-extractor)."""

import re
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..arguments import Flag, NotAnArgument, Output, Positional
from ..program_run import ProgramRun
from ..third_party import ThirdPartyTask

__all__ = ["ExtractSources", "SourceList"]

_CONFIGURATION, _PARAMETERS, _KERNEL = "sources.sex", "sources.param", "sources.conv"

_TEMPLATES: dict[str, str | Path] = {
    _CONFIGURATION: """\
CATALOG_NAME      {{ catalogue }}
CATALOG_TYPE      ASCII_HEAD
PARAMETERS_NAME   sources.param
FILTER            Y
FILTER_NAME       sources.conv
VERBOSE_TYPE      NORMAL
DETECT_TYPE       CCD
DETECT_THRESH     {{ threshold }}
ANALYSIS_THRESH   {{ threshold }}
DETECT_MINAREA    {{ minimum_area }}
DEBLEND_MINCONT   {{ deblending_contrast }}
BACK_SIZE         {{ background_mesh }}
PHOT_APERTURES    {{ apertures | join(",") }}
MAG_ZEROPOINT     {{ zero_point }}
SATUR_LEVEL       {{ saturation }}
GAIN              {{ gain }}
PIXEL_SCALE       {{ pixel_scale }}
WEIGHT_TYPE       {{ "MAP_WEIGHT" if weight_map else "NONE" }}
""",
    _PARAMETERS: """\
{% for column in columns %}
{{ column }}
{% endfor %}
""",
    _KERNEL: """\
CONV NORM
{% for row in kernel %}
{{ row | join(" ") }}
{% endfor %}
""",
}

#: A line of the catalogue's head: number of the first column, name, what it is.
_HEAD = re.compile(r"#\s+(\d+)\s+(\S+)")
_COLUMN = re.compile(r"[A-Z][A-Z0-9_]*(\([0-9]+\))?")


class SourceList(BaseModel):
    """The sources of an image: for each measurement one list, with a value for each source."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    count: int
    #: By SExtractor's names; of a vector `FLUX_APER(2)` the second value is `FLUX_APER[2]`.
    columns: dict[str, list[float]]


class ExtractSources(ThirdPartyTask):
    """Find and measure the sources in a FITS image (`source-extractor`); the result is their list."""

    executable: ClassVar[str] = "source-extractor"
    subcommand: ClassVar[tuple[str, ...]] = ("-c", _CONFIGURATION)
    #: `"Unnamed" / no ext. header / 512x512 / 32 bits (floats)`, then `Line:  125  Objects: ...` over and over.
    progress: ClassVar[str | None] = r"/ \d+x(?P<total>\d+) /|Line: *(?P<done>\d+) "
    templates: ClassVar[dict[str, str | Path]] = _TEMPLATES
    version_arguments: ClassVar[tuple[str, ...]] = ("--version",)

    image: Annotated[Path, Positional()]
    #: An image of each pixel's weight.
    weight_map: Annotated[Path | None, Flag("-WEIGHT_IMAGE")] = None
    #: The neural network behind `CLASS_STAR` (Debian: /usr/share/source-extractor/default.nnw).
    star_classifier: Annotated[Path | None, Flag("-STARNNW_NAME")] = None
    catalogue: Annotated[Path, Output()] = Path("sources.cat")
    #: Measurements, `FLUX_AUTO`, or so many of a kind, `FLUX_APER(2)`; `source-extractor -dp` lists them.
    columns: Annotated[list[str], Field(min_length=1), NotAnArgument()] = [
        *("NUMBER", "X_IMAGE", "Y_IMAGE", "FLUX_AUTO", "FLUXERR_AUTO", "MAG_AUTO", "MAGERR_AUTO"),
        *("FWHM_IMAGE", "ELONGATION", "FLAGS"),
    ]
    #: What the image is convolved with before detection; rows and columns are odd in number.
    kernel: Annotated[list[list[float]], Field(min_length=1), NotAnArgument()] = [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    #: In standard deviations of the background.
    threshold: Annotated[float, Field(gt=0), NotAnArgument()] = 1.5
    #: Pixels above the threshold that make a source.
    minimum_area: Annotated[int, Field(ge=1), NotAnArgument()] = 5
    #: The part of the light that a peak must have to be a source of its own; 1: sources are never parted.
    deblending_contrast: Annotated[float, Field(ge=0, le=1), NotAnArgument()] = 0.005
    #: Pixels along the side of a square in which the background is taken to be one.
    background_mesh: Annotated[int, Field(ge=4), NotAnArgument()] = 64
    #: Diameters in pixels, for `FLUX_APER(n)` and its like.
    apertures: Annotated[list[float], Field(min_length=1), NotAnArgument()] = [5.0]
    zero_point: Annotated[float, NotAnArgument()] = 0.0
    #: Counts from which on a pixel is saturated.
    saturation: Annotated[float, NotAnArgument()] = 50000.0
    #: Electrons per count; 0: infinite.
    gain: Annotated[float, NotAnArgument()] = 0.0
    #: Arc seconds per pixel; 0: as the image says.
    pixel_scale: Annotated[float, NotAnArgument()] = 1.0

    @field_validator("image", "weight_map", "star_classifier", "catalogue")
    @classmethod
    def _is_one_word(cls, value: Path | None) -> Path | None:
        if re.search(r"[\s,=]", str(value)):
            raise ValueError("source-extractor splits names at spaces, commas and '='; rename the file or link to it")
        return value

    @field_validator("columns")
    @classmethod
    def _are_columns(cls, value: list[str]) -> list[str]:
        if strange := [name for name in value if not _COLUMN.fullmatch(name)]:
            raise ValueError(f"{strange[0]!r} is no measurement such as FLUX_AUTO or FLUX_APER(2)")
        return value

    @field_validator("kernel")
    @classmethod
    def _is_odd(cls, value: list[list[float]]) -> list[list[float]]:
        if len(value) % 2 == 0 or {len(row) % 2 for row in value} != {1} or len({len(row) for row in value}) != 1:
            raise ValueError("needs an odd number of rows, all with the same odd number of values")
        return value

    def read_result(self, run: ProgramRun) -> SourceList:
        """Return the catalogue.

        Raises:
            ValueError: when a column is missing; source-extractor leaves out what it does not know, with exit code 0.
        """
        columns = _read_catalogue(run.outputs["catalogue"].read_text())
        missing = sorted({name.partition("(")[0] for name in self.columns} - set(columns))
        if missing:
            raise ValueError(
                f"source-extractor does not know {', '.join(missing)}; source-extractor -dp lists the columns"
            )
        return SourceList(count=len(next(iter(columns.values()))), columns=columns)


def _read_catalogue(text: str) -> dict[str, list[float]]:
    r"""Return the columns of a catalogue in the format ASCII_HEAD.

    >>> _read_catalogue("#   1 X_IMAGE  Position\n#   2 FLUX_APER  Fluxes\n 12.5 3.0 4.0\n")
    {'X_IMAGE': [12.5], 'FLUX_APER': [3.0], 'FLUX_APER[2]': [4.0]}
    """
    lines = text.splitlines()
    heads = [(int(match[1]), match[2]) for line in lines if (match := _HEAD.match(line))]
    rows = [[float(word) for word in line.split()] for line in lines if line.strip() and not line.startswith("#")]
    width = len(rows[0]) if rows else heads[-1][0]
    ends = [*(number for number, _ in heads[1:]), width + 1]
    names = [
        name if place == number else f"{name}[{place - number + 1}]"
        for (number, name), end in zip(heads, ends, strict=True)
        for place in range(number, end)
    ]
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}
