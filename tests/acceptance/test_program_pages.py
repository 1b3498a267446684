"""The examples on the pages about programs, run as they are written."""

import gzip
import re
from pathlib import Path

import pytest
from generated import write_complex, write_reads, write_sky
from support import TESTS, need_program

PAGES = TESTS.parent / "docs" / "programs"


def gemmi_files(folder: Path) -> None:
    (folder / "1abc.cif").write_text("data_a\n_cell.length_a 10.0\n")


def sky_files(folder: Path) -> None:
    write_sky(folder / "sky.fits")


def read_files(folder: Path) -> None:
    sequenced = write_reads(folder)
    sequenced.genome.rename(folder / "ecoli.fa")
    for name in ("run_1.fq.gz", "run_2.fq.gz"):
        (folder / name).write_bytes(gzip.compress(sequenced.reads.read_bytes()))


def docking_files(folder: Path) -> None:
    pair = write_complex(folder)
    pair.receptor.rename(folder / "protein.pdbqt")
    pair.ligand.rename(folder / "drug.pdbqt")


@pytest.mark.parametrize(
    ("page", "programs", "write", "shown"),
    [
        ("gemmi", {}, gemmi_files, ""),
        ("source_extractor", {"source-extractor": "source-extractor"}, sky_files, r"4\d \[.*\] \[.*\]"),
        ("bwa_samtools", {"bwa": "bwa", "samtools": "samtools"}, read_files, "1000\n100.0% mapped"),
        ("vina", {"vina": "autodock-vina"}, docking_files, "kcal/mol, seed 7"),
    ],
)
def test_the_example_of_a_page_works_as_written(worker, other_process, tmp_path, page, programs, write, shown):
    for name, package in programs.items():
        need_program(name, package)
    write(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", (PAGES / f"{page}.md").read_text(), re.DOTALL)
    done = other_process(example)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(shown, done.stdout), done.stdout


def test_the_class_that_adds_a_field_works_as_written():
    (example,) = re.findall(r"```python\n(.*?)```", (PAGES / "README.md").read_text(), re.DOTALL)
    space = {"__name__": __name__}
    exec(example, space)
    assert space["BwaMemAll"](index="g", reads=["a.fq"]).argv() == ("bwa", "mem", "-t", "1", "-a", "g", "a.fq")


def test_each_program_of_the_library_has_a_page_and_the_index_names_its_tasks():
    from outrider.tasks import load_catalogue

    index = (PAGES / "README.md").read_text()
    for task in load_catalogue([]):
        assert f"`{task}`" in index
    for page in PAGES.glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in index
