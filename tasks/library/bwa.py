"""`bwa`, the Burrows-Wheeler aligner of short reads (Debian: bwa)."""

import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from ..arguments import Flag, NotAnArgument, Output, Positional, Stdout
from ..program_run import ProgramRun
from ..tally import Tally
from ..third_party import ThirdPartyTask
from .sequence_reads import estimate_reads

__all__ = ["BwaIndex", "BwaMem", "GenomeIndex", "MappedReads"]

_SUFFIXES = (".amb", ".ann", ".bwt", ".pac", ".sa")
_PROCESSED = r"Processed (?P<count>\d+) reads"
#: bwa knows no option for its version; this lists the indices in shared memory, and says first which bwa it is.
_VERSION_ARGUMENTS = ("shm", "-l")


class GenomeIndex(BaseModel):
    """An index of a genome: what `BwaMem(index=...)` takes is its prefix."""

    model_config = ConfigDict(frozen=True)

    prefix: Path
    sequences: int
    #: Bases of all sequences.
    length: int


class MappedReads(BaseModel):
    """What was mapped; `SamtoolsFlagstat` tells how well."""

    model_config = ConfigDict(frozen=True)

    #: Reads in all, mates counted each.
    reads: int


def _beside(suffix: str) -> Any:
    return Field(default_factory=lambda given: Path(f"{given['prefix']}{suffix}"))


class BwaIndex(ThirdPartyTask):
    """Index a genome (`bwa index`); the result says where the five files of the index are."""

    executable: ClassVar[str] = "bwa"
    subcommand: ClassVar[tuple[str, ...]] = ("index",)
    #: Genomes of more than 50 million bases are done in steps.
    progress: ClassVar[str | None] = r"textLength=(?P<total>\d+)|(?P<done>\d+) (?P<unit>characters) processed"
    version_arguments: ClassVar[tuple[str, ...]] = _VERSION_ARGUMENTS

    #: FASTA, may be compressed with gzip.
    genome: Annotated[Path, Positional()]
    algorithm: Annotated[Literal["is", "rb2", "bwtsw"] | None, Flag("-a")] = None
    #: What the names of the five files begin with.
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"), Flag("-p")] = "genome"
    amb: Annotated[Path, Output(), _beside(".amb")]
    ann: Annotated[Path, Output(), _beside(".ann")]
    bwt: Annotated[Path, Output(), _beside(".bwt")]
    pac: Annotated[Path, Output(), _beside(".pac")]
    sa: Annotated[Path, Output(), _beside(".sa")]

    @field_validator("amb", "ann", "bwt", "pac", "sa")
    @classmethod
    def _follows(cls, value: Path, info: ValidationInfo) -> Path:
        if "prefix" in info.data and str(value) != f"{info.data['prefix']}.{info.field_name}":
            raise ValueError("bwa names its files itself; set prefix")
        return value

    def read_result(self, run: ProgramRun) -> GenomeIndex:
        """Return the index.

        Raises:
            ValueError: when the genome had no sequence; bwa ends with exit code 0 then.
        """
        length, sequences, _ = run.outputs["ann"].read_text().split("\n", 1)[0].split()
        if int(sequences) == 0:
            raise ValueError(f"bwa found no sequence in {self.genome}; it reads FASTA")
        return GenomeIndex(prefix=run.outputs["bwt"].with_suffix(""), sequences=int(sequences), length=int(length))


def _index_files(value: Any) -> Any:
    """Return the five files of an index that is named by its prefix, as bwa does, or by one of them."""
    words = [value] if isinstance(value, str | Path) else value
    if not isinstance(words, list | tuple) or len(words) != 1:
        return value
    word = str(words[0])
    prefix = next((word.removesuffix(suffix) for suffix in _SUFFIXES if word.endswith(suffix)), word)
    return [f"{prefix}{suffix}" for suffix in _SUFFIXES]


class BwaMem(ThirdPartyTask):
    """Map reads to an indexed genome (`bwa mem`); the result counts them, the SAM file is an output."""

    executable: ClassVar[str] = "bwa"
    subcommand: ClassVar[tuple[str, ...]] = ("mem",)
    progress: ClassVar[Tally] = Tally(_PROCESSED, total=lambda task: estimate_reads(task.reads), unit="reads")
    version_arguments: ClassVar[tuple[str, ...]] = _VERSION_ARGUMENTS

    #: The five files; or their prefix alone, which is completed.
    index: Annotated[list[Path], BeforeValidator(_index_files), NotAnArgument()]
    #: FASTQ or FASTA, may be compressed with gzip: one file, or two with the mates of each other's reads.
    reads: Annotated[list[Path], Field(min_length=1, max_length=2), Positional()]
    alignment: Annotated[Path, Stdout(), Output()] = Path("aligned.sam")
    threads: Annotated[int, Field(ge=1), Flag("-t")] = 1
    #: A header line such as `@RG\tID:run1\tSM:sample`, with a backslash and a t between the fields.
    read_group: Annotated[str | None, Field(pattern=r"^@RG(\\t[A-Z]{2}:[^\t\n]+)+$"), Flag("-R")] = None
    #: Whether the one file holds both mates, one after the other.
    interleaved: Annotated[bool, Flag("-p")] = False
    #: Whether shorter parts of split reads are marked as secondary, for tools that expect it.
    mark_secondary: Annotated[bool, Flag("-M")] = False
    #: Bases in a batch; without it more threads make larger batches, and other pairs.
    batch_bases: Annotated[int | None, Field(ge=1), Flag("-K")] = None
    minimum_score: Annotated[int | None, Flag("-T")] = None

    @field_validator("index")
    @classmethod
    def _is_one_index(cls, value: list[Path]) -> list[Path]:
        prefixes = {path.with_suffix("") for path in value}
        if len(prefixes) != 1 or sorted(path.suffix for path in value) != sorted(_SUFFIXES):
            raise ValueError(f"needs the prefix of an index, or its five files ({', '.join(_SUFFIXES)}) side by side")
        return value

    def argv(self) -> tuple[str, ...]:
        """Return the words: the prefix of the index stands before the reads."""
        words = super().argv()
        begin = len(words) - len(self.reads)
        return (*words[:begin], str(self.index[0].with_suffix("")), *words[begin:])

    def read_result(self, run: ProgramRun) -> MappedReads:
        """Return how many reads there were.

        Raises:
            ValueError: when there were none, or some had no mate; bwa leaves them out with exit code 0.
        """
        said = run.stderr
        if "file has fewer sequences" in said:
            raise ValueError("one of the two files has fewer reads than the other; bwa left out those without a mate")
        reads = sum(int(count) for count in re.findall(_PROCESSED, said))
        if reads == 0:
            raise ValueError(f"bwa found no read in {', '.join(map(str, self.reads))}; it reads FASTQ and FASTA")
        return MappedReads(reads=reads)
