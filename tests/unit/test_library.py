"""The library's descriptions, without their programs: what is refused, what is read, what is estimated."""

import gzip
import random
from pathlib import Path

import pytest
from pydantic import ValidationError

from outrider import ProgramRun
from outrider.communicators import ProgressPattern
from outrider.tasks.library import BwaIndex, BwaMem, DockLigand, ExtractSources, SamtoolsSort
from outrider.tasks.library.sequence_reads import estimate_reads

BOX = dict.fromkeys(("center_x", "center_y", "center_z", "size_x", "size_y", "size_z"), 1)
FIVE = ["g.amb", "g.ann", "g.bwt", "g.pac", "g.sa"]

REFUSED = [
    ("a name with a space", ExtractSources, {"image": "my sky.fits"}, "splits names at spaces, commas"),
    (
        "a list of names",
        ExtractSources,
        {"image": "a.fits", "weight_map": "b,c.fits"},
        "splits names at spaces, commas",
    ),
    (
        "a strange column",
        ExtractSources,
        {"image": "a", "columns": ["flux; rm"]},
        "is no measurement such as FLUX_AUTO",
    ),
    ("a column of two lines", ExtractSources, {"image": "a", "columns": ["X\nY"]}, "is no measurement"),
    ("an even kernel", ExtractSources, {"image": "a", "kernel": [[1, 1], [1, 1]]}, "needs an odd number of rows"),
    ("a ragged kernel", ExtractSources, {"image": "a", "kernel": [[1], [1, 2, 1], [1]]}, "needs an odd number of rows"),
    ("an empty row", ExtractSources, {"image": "a", "kernel": [[]]}, "needs an odd number of rows"),
    ("three files of reads", BwaMem, {"index": "g", "reads": ["a", "b", "c"]}, "at most 2"),
    ("part of an index", BwaMem, {"index": FIVE[:4], "reads": ["a"]}, "its five files"),
    ("parts of two", BwaMem, {"index": [*FIVE[:4], "h.sa"], "reads": ["a"]}, "its five files"),
    ("no index", BwaMem, {"index": [], "reads": ["a"]}, "its five files"),
    ("a read group with real tabs", BwaMem, {"index": "g", "reads": ["a"], "read_group": "@RG\tID:a"}, "match pattern"),
    ("a prefix that leads elsewhere", BwaIndex, {"genome": "g.fa", "prefix": "../g"}, "match pattern"),
    ("a file beside the others", BwaIndex, {"genome": "g.fa", "sa": "/data/g.sa"}, "bwa names its files itself"),
    ("memory without a number", SamtoolsSort, {"alignment": "a", "memory": "much"}, "match pattern"),
    ("a flat box", DockLigand, {"receptor": "r", "ligand": "l", **BOX, "size_y": 0}, "greater than 0"),
]


@pytest.mark.parametrize(("task", "given", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_a_program_would_take_for_something_else_is_refused(task, given, words):
    with pytest.raises(ValidationError, match=words):
        task.model_validate(given)


@pytest.mark.parametrize(
    "given",
    ["/data/g", ["/data/g"], Path("/data/g"), "/data/g.bwt", [f"/data/{name}" for name in reversed(FIVE)]],
    ids=str,
)
def test_an_index_is_named_by_its_prefix_by_one_file_or_by_all(given):
    task = BwaMem(index=given, reads=["a.fq"])
    assert sorted(task.index) == [Path("/data", name) for name in FIVE]
    assert task.argv() == ("bwa", "mem", "-t", "1", "/data/g", "a.fq")
    assert BwaMem.from_parameters(task.parameters()) == task


def test_an_index_of_a_genome_keeps_the_endings_of_its_name():
    task = BwaMem(index="g.fa", reads=["1.fq", "2.fq"]).with_absolute_inputs(Path("/here"))
    assert task.argv()[-3:] == ("/here/g.fa", "/here/1.fq", "/here/2.fq")
    assert {field.name for field in BwaMem.task_fields() if field.is_input} == {"index", "reads"}


def test_the_five_files_of_an_index_follow_its_prefix():
    task = BwaIndex(genome="g.fa", prefix="ecoli.fa")
    assert [str(getattr(task, field.name)) for field in task.task_fields() if field.output] == [
        f"ecoli.fa.{suffix}" for suffix in ("amb", "ann", "bwt", "pac", "sa")
    ]
    assert task.argv() == ("bwa", "index", "-p", "ecoli.fa", "g.fa")


def run_that_left(folder: Path, **outputs: str) -> ProgramRun:
    for name, text in {"stdout": "", "stderr": "", **outputs}.items():
        (folder / name).write_text(text)
    return ProgramRun(
        directory=folder,
        exit_code=0,
        outputs={name: folder / name for name in outputs},
        stdout_path=folder / "stdout",
        stderr_path=folder / "stderr",
    )


HEAD = "#   1 NUMBER   Running number\n#   2 FLUX_APER   Fluxes   [count]\n#   4 FLAGS   Flags\n"


@pytest.mark.parametrize(
    ("rows", "flags"), [("  1  2.5  3.5  0\n  2 nan 99.0  3\n", [0, 3]), ("", [])], ids=["two sources", "none"]
)
def test_a_catalogue_is_read_by_its_head(tmp_path, rows, flags):
    task = ExtractSources(image="a.fits", columns=["NUMBER", "FLUX_APER(2)", "FLAGS"])
    found = task.read_result(run_that_left(tmp_path, catalogue=HEAD + rows))
    assert found.count == len(flags)
    assert found.columns["FLAGS"] == flags
    assert found.model_validate_json(found.model_dump_json()).columns.keys() == found.columns.keys()


def test_progress_of_source_extractor_is_rows_of_the_image():
    text = (
        '----- Measuring from: a.fits\n      "Unnamed" / no ext. header / 640x512 / 32 bits (floats)\n'
        "> Line:   25  Objects:        0 detected /        0 sextracted\n"
        "> Line:  125  Objects:       14 detected /        2 sextracted\n"
    )
    progress = ProgressPattern(ExtractSources.progress).last(text)
    assert (progress.done, progress.total) == (125, 512)


def test_progress_of_a_large_index_is_characters_of_its_text():
    text = "[BWTIncCreate] textLength=400000, availableWord=508648\n"
    text += "[BWTIncConstructFromPacked] 10 iterations done. 100000 characters processed.\n"
    progress = ProgressPattern(BwaIndex.progress).last(text)
    assert (progress.done, progress.total, progress.unit) == (100_000, 400_000, "characters")


def test_a_docking_without_modes_is_a_result(tmp_path):
    task = DockLigand(receptor="r", ligand="l", **BOX)
    found = task.read_result(run_that_left(tmp_path, output="REMARK\n", stdout="(random seed: -12)"))
    assert (found.modes, found.seed) == ([], -12)


DICE = random.Random(1)


def bases(count: int) -> bytes:
    return bytes(DICE.choices(b"ACGT", k=count))


def fastq(reads: int) -> bytes:
    return b"".join(b"@read%06d\n%s\n+\n%s\n" % (number, bases(100), b"I" * 100) for number in range(reads))


def fasta(reads: int) -> bytes:
    return b"".join(b">read%06d\n%s\n%s\n" % (number, bases(60), bases(40)) for number in range(reads))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("write", [fastq, fasta])
def test_few_reads_are_counted(tmp_path, write, pack):
    (tmp_path / "reads").write_bytes(pack(write(7)))
    assert estimate_reads([tmp_path / "reads"]) == 7
    assert estimate_reads([tmp_path / "reads", tmp_path / "reads"]) == 14


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("write", [fastq, fasta])
def test_many_reads_are_estimated_from_the_first(tmp_path, write, pack):
    (tmp_path / "reads").write_bytes(pack(write(20_000)))
    assert estimate_reads([tmp_path / "reads"]) == pytest.approx(20_000, rel=0.02)


def test_reads_in_blocks_are_estimated_as_well(tmp_path):
    """As bgzip writes them: many compressed files, one after the other."""
    (tmp_path / "reads").write_bytes(b"".join(gzip.compress(fastq(200)) for _ in range(100)))
    assert estimate_reads([tmp_path / "reads"]) == pytest.approx(20_000, rel=0.02)


@pytest.mark.parametrize("text", [b"", b"\n", b"junk"])
def test_what_holds_no_reads_holds_none(tmp_path, text):
    (tmp_path / "reads").write_bytes(text)
    assert estimate_reads([tmp_path / "reads"]) == 0
