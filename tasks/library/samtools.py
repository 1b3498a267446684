"""`samtools`, tools for aligned reads (Debian: samtools)."""

import json
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from ..arguments import Flag, Output, Positional, Stdout
from ..program_run import ProgramRun
from ..third_party import ThirdPartyTask

__all__ = ["AlignmentStatistics", "ReadCounts", "SamtoolsFlagstat", "SamtoolsIndex", "SamtoolsSort"]


class ReadCounts(BaseModel):
    """Counts of alignments by their flags; a read may have more than one."""

    model_config = ConfigDict(frozen=True, validate_by_name=True, extra="ignore")

    total: int
    #: One per read.
    primary: int
    secondary: int
    supplementary: int
    duplicates: int
    mapped: int
    primary_mapped: int = Field(alias="primary mapped")
    paired: int = Field(alias="paired in sequencing")
    properly_paired: int = Field(alias="properly paired")
    singletons: int

    @property
    def mapped_fraction(self) -> float:
        """The part of the reads that was mapped, 0 to 1."""
        return self.primary_mapped / self.primary if self.primary else 0.0


class AlignmentStatistics(BaseModel):
    """Counts of the reads that passed the sequencer's quality control, and of those that failed."""

    model_config = ConfigDict(frozen=True)

    passed: ReadCounts
    failed: ReadCounts


class _Samtools(ThirdPartyTask):
    version_arguments: ClassVar[tuple[str, ...]] = ("--version",)

    #: Threads beside the first.
    extra_threads: Annotated[int, Field(ge=0), Flag("-@")] = 0


class SamtoolsSort(_Samtools):
    """Sort alignments by position, or by the reads' names (`samtools sort`)."""

    executable: ClassVar[str] = "samtools"
    subcommand: ClassVar[tuple[str, ...]] = ("sort",)

    by_name: Annotated[bool, Flag("-n")] = False
    #: Memory for each thread, such as `768M`; more than fits goes to temporary files in the working directory.
    memory: Annotated[str | None, Field(pattern=r"^[0-9]+[KMG]?$"), Flag("-m")] = None
    #: SAM, BAM or CRAM.
    alignment: Annotated[Path, Positional()]
    #: The format follows the name: .bam, .sam or .cram.
    output: Annotated[Path, Output(), Flag("-o")] = Path("sorted.bam")


class SamtoolsIndex(_Samtools):
    """Index a BAM file that is sorted by position (`samtools index`)."""

    executable: ClassVar[str] = "samtools"
    subcommand: ClassVar[tuple[str, ...]] = ("index",)

    alignment: Annotated[Path, Positional()]
    index: Annotated[Path, Output(), Flag("-o")] = Path("sorted.bam.bai")


class SamtoolsFlagstat(_Samtools):
    """Count alignments by their flags (`samtools flagstat`); the result is the counts."""

    executable: ClassVar[str] = "samtools"
    subcommand: ClassVar[tuple[str, ...]] = ("flagstat", "-O", "json")

    alignment: Annotated[Path, Positional()]
    statistics: Annotated[Path, Stdout(), Output()] = Path("flagstat.json")

    def read_result(self, run: ProgramRun) -> AlignmentStatistics:
        """Return the counts that samtools wrote."""
        counts = json.loads(run.outputs["statistics"].read_text())
        passed, failed = (ReadCounts.model_validate(counts[f"QC-{how} reads"]) for how in ("passed", "failed"))
        return AlignmentStatistics(passed=passed, failed=failed)
