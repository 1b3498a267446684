"""The real programs of the library, on a real worker: what goes in is made up, so what must come out is known."""

import json
import math
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from generated import Complex, Sequenced, Sky, write_complex, write_reads, write_sky
from support import eventually, need_program

from outrider import JobFailed, JobTimedOut, Limits
from outrider.tasks.library import (
    BwaIndex,
    BwaMem,
    DockLigand,
    ExtractSources,
    SamtoolsFlagstat,
    SamtoolsIndex,
    SamtoolsSort,
)

BOX = {"center_x": -0.5, "center_y": 0, "center_z": 0, "size_x": 12, "size_y": 12, "size_z": 12}


def progress_of(job):
    """Return the progress that was seen, after a look at whether it is any good."""
    seen = [message for message in job.watch(timeout=30) if message.kind == "progress"]
    done = [progress.done for progress in seen]
    assert len(set(done)) > 1, f"more than one value in {done}"
    assert done == sorted(done)
    assert 0.9 <= seen[-1].done / seen[-1].total <= 1, seen[-1]
    return seen


def failure_of(job):
    with pytest.raises(JobFailed) as failure:
        job.result(timeout=20)
    return str(failure.value)


def planned(cli, task, *parameters):
    words = [word for parameter in parameters for word in ("-p", parameter)]
    return json.loads(cli("dry-run", task, *words, "--json").stdout)


@pytest.fixture(scope="module")
def sky(tmp_path_factory) -> Sky:
    need_program("source-extractor", "source-extractor")
    return write_sky(tmp_path_factory.mktemp("sky") / "sky.fits")


def test_source_extractor_finds_each_star_where_it_is(producer, worker, sky):
    job = producer.submit(ExtractSources(image=sky.image, threshold=3))
    found = job.result(timeout=20)
    places = list(zip(*(found.columns[name] for name in ("X_IMAGE", "Y_IMAGE", "FLUX_AUTO")), strict=True))
    assert found.count == len(places) == len(sky.stars)
    for x, y, light in sky.stars:
        nearest = min(places, key=lambda place: math.dist(place[:2], (x, y)))
        assert math.dist(nearest[:2], (x, y)) < 0.2
        assert nearest[2] == pytest.approx(light, rel=0.1)
    record = job.record()
    assert record.provenance.program_version.startswith("Source Extractor version 2.")
    assert record.outcome.outputs["catalogue"].size > 0


def test_source_extractor_shows_its_progress_in_rows(producer, worker, sky, tmp_path):
    large = write_sky(tmp_path / "large.fits", side=4096, stars=2000)
    seen = progress_of(producer.submit(ExtractSources(image=large.image)))
    assert (seen[-1].done, seen[-1].total) == (4096, 4096)
    assert {progress.source for progress in seen} == {"stderr"}


def test_source_extractor_measures_what_is_asked_for(producer, worker, sky):
    task = ExtractSources(image=sky.image, threshold=3, columns=["X_IMAGE", "FLUX_APER(2)"], apertures=[5, 12])
    columns = producer.submit(task).result(timeout=20).columns
    assert list(columns) == ["X_IMAGE", "FLUX_APER", "FLUX_APER[2]"]
    assert all(few < more for few, more in zip(columns["FLUX_APER"], columns["FLUX_APER[2]"], strict=True))


def test_source_extractor_takes_weights(producer, worker, sky, tmp_path):
    """With one image as the weights of itself nothing much changes; a weight map that cannot be read is an error."""
    weighted = ExtractSources(image=sky.image, threshold=3, weight_map=sky.image)
    assert producer.submit(weighted).result(timeout=20).count >= len(sky.stars)
    (tmp_path / "weights.fits").write_text("no image")
    broken = ExtractSources(image=sky.image, weight_map=tmp_path / "weights.fits")
    assert "weights.fits" in failure_of(producer.submit(broken))


def test_source_extractor_says_what_is_wrong_with_an_image(producer, worker, tmp_path):
    (tmp_path / "bad.fits").write_text("no image")
    failure = failure_of(producer.submit(ExtractSources(image=tmp_path / "bad.fits")))
    assert "source-extractor ended with exit code 1" in failure
    assert "cannot open" in failure


def test_a_column_that_source_extractor_does_not_know_is_an_error_although_it_ended_well(producer, worker, sky):
    failure = failure_of(producer.submit(ExtractSources(image=sky.image, columns=["NUMBER", "NO_SUCH"])))
    assert "source-extractor does not know NO_SUCH" in failure


def test_a_dry_run_shows_the_words_and_the_three_files_for_source_extractor(cli, sky):
    plan = planned(cli, "extract_sources", f"image={sky.image}", "threshold=2.5")
    assert plan["argv"] == [shutil.which("source-extractor"), "-c", "sources.sex", str(sky.image)]
    assert set(plan["input_files"]) == {"sources.sex", "sources.param", "sources.conv"}
    assert "DETECT_THRESH     2.5\n" in plan["input_files"]["sources.sex"]


@pytest.fixture(scope="module")
def sequenced(tmp_path_factory) -> Sequenced:
    need_program("bwa", "bwa")
    need_program("samtools", "samtools")
    return write_reads(tmp_path_factory.mktemp("reads"))


@pytest.fixture(scope="module")
def index(sequenced) -> Path:
    """An index beside its genome, as people make them by hand."""
    subprocess.run(["bwa", "index", str(sequenced.genome)], check=True, capture_output=True)
    return sequenced.genome


def test_reads_are_mapped_to_where_they_came_from_sorted_and_counted(producer, worker, sequenced):
    index_job = producer.submit(BwaIndex(genome=sequenced.genome))
    index = index_job.result(timeout=20)
    assert (index.sequences, index.length) == (1, 20_000)
    mem = producer.submit(
        BwaMem(index=[index.prefix], reads=[sequenced.reads], threads=2, read_group=r"@RG\tID:a\tSM:b")
    )
    assert mem.result(timeout=20).reads == len(sequenced.origins)
    sort = producer.submit(SamtoolsSort(alignment=mem.record().outcome.outputs["alignment"].path))
    sort.result(timeout=20)
    bam = sort.record().outcome.outputs["output"].path
    assert _positions(bam) == sequenced.origins
    assert "SM:b" in subprocess.run(["samtools", "view", "-H", bam], capture_output=True, text=True, check=True).stdout
    statistics = producer.submit(SamtoolsFlagstat(alignment=bam))
    counts = statistics.result(timeout=20)
    assert (counts.passed.total, counts.passed.mapped, counts.failed.total) == (500, 500, 0)
    assert counts.passed.mapped_fraction == 1
    producer.submit(SamtoolsIndex(alignment=bam)).result(timeout=20)
    versions = [job.record().provenance.program_version for job in (index_job, mem, sort, statistics)]
    assert all(version.startswith("[main] Version: 0.7.") for version in versions[:2]), versions
    assert all(version.startswith("samtools 1.") for version in versions[2:]), versions


def _positions(bam: Path) -> dict[str, int]:
    view = subprocess.run(["samtools", "view", bam], capture_output=True, text=True, check=True).stdout
    rows = [line.split("\t") for line in view.splitlines()]
    assert [int(row[3]) for row in rows] == sorted(int(row[3]) for row in rows)
    return {row[0]: int(row[3]) for row in rows}


def test_bwa_adds_up_its_batches(producer, worker, tmp_path):
    need_program("bwa", "bwa")
    much = write_reads(tmp_path, length=100_000, reads=60_000)
    index = producer.submit(BwaIndex(genome=much.genome)).result(timeout=20)
    job = producer.submit(BwaMem(index=[index.prefix], reads=[much.reads], batch_bases=500_000))
    seen = progress_of(job)
    assert seen[-1].done == 60_000
    assert seen[-1].total == pytest.approx(60_000, rel=0.02), "estimated, from the first mebibyte"
    assert seen[-1].unit == "reads"
    assert job.result(timeout=5).reads == 60_000


def test_mates_are_mapped_as_pairs_and_one_without_a_mate_is_an_error(producer, worker, index, sequenced, tmp_path):
    mates = BwaMem(index=[index], reads=[sequenced.reads, sequenced.reads])
    job = producer.submit(mates)
    assert job.result(timeout=20).reads == 1000
    counts = producer.submit(SamtoolsFlagstat(alignment=job.record().outcome.outputs["alignment"].path)).result(
        timeout=20
    )
    assert counts.passed.paired == 1000
    fewer = tmp_path / "fewer.fq"
    fewer.write_text("".join(sequenced.reads.read_text().splitlines(keepends=True)[:40]))
    failure = failure_of(producer.submit(BwaMem(index=[index], reads=[sequenced.reads, fewer])))
    assert "one of the two files has fewer reads than the other" in failure


def test_an_index_without_one_of_its_files_fails_before_bwa_starts(producer, worker, index, sequenced, tmp_path):
    for suffix in ("amb", "ann", "bwt", "pac"):
        shutil.copy(f"{index}.{suffix}", tmp_path / f"part.{suffix}")
    job = producer.submit(BwaMem(index=[tmp_path / "part"], reads=[sequenced.reads]))
    assert f"cannot read the input {tmp_path}/part.sa: No such file" in failure_of(job)
    assert job.record().run is None


def test_what_is_no_read_and_no_genome_is_an_error_although_bwa_ends_well(producer, worker, index, tmp_path):
    junk = tmp_path / "junk"
    junk.write_text("no read\n")
    assert f"bwa found no read in {junk}" in failure_of(producer.submit(BwaMem(index=[index], reads=[junk])))
    assert f"bwa found no sequence in {junk}" in failure_of(producer.submit(BwaIndex(genome=junk)))


def test_an_index_that_is_damaged_fails_with_the_words_of_bwa(producer, worker, index, sequenced, tmp_path):
    for suffix in ("amb", "ann", "bwt", "pac", "sa"):
        (tmp_path / f"bad.{suffix}").write_text("junk")
    failure = failure_of(producer.submit(BwaMem(index=[tmp_path / "bad"], reads=[sequenced.reads])))
    assert "bwa ended with exit code 1" in failure
    assert "Unexpected end of file" in failure


@pytest.mark.parametrize("task", [SamtoolsSort, SamtoolsIndex, SamtoolsFlagstat])
def test_samtools_says_what_is_wrong_with_an_alignment(producer, worker, sequenced, tmp_path, task):
    junk = tmp_path / "junk.bam"
    junk.write_text("no alignment")
    failure = failure_of(producer.submit(task(alignment=junk)))
    assert "samtools ended with exit code 1" in failure
    assert "junk.bam" in failure


def test_a_dry_run_shows_the_prefix_of_an_index_before_the_reads(cli, index, sequenced):
    plan = planned(cli, "bwa_mem", f"index={index}", f"reads={sequenced.reads}", "threads=2")
    assert plan["argv"] == [shutil.which("bwa"), "mem", "-t", "2", str(index), str(sequenced.reads)]
    plan = planned(cli, "samtools_sort", "alignment=/a.sam", "extra_threads=1")
    assert plan["argv"] == [shutil.which("samtools"), "sort", "-@", "1", "-o", "sorted.bam", "/a.sam"]


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> Complex:
    need_program("vina", "autodock-vina")
    return write_complex(tmp_path_factory.mktemp("complex"))


def docking(pair, **changes) -> DockLigand:
    return DockLigand(**{"receptor": pair.receptor, "ligand": pair.ligand, "seed": 7, **BOX, **changes})


def test_vina_finds_how_the_ligand_binds_and_the_same_seed_finds_it_again(producer, worker, pair):
    jobs = [producer.submit(docking(pair, exhaustiveness=4, seed=seed)) for seed in (7, 7, 8)]
    first, again, other = (job.result(timeout=20) for job in jobs)
    assert first == again
    assert (first.seed, other.seed) == (7, 8)
    affinities = [mode.affinity for mode in first.modes]
    assert affinities == sorted(affinities)
    assert affinities[0] < -0.5, "the ligand is held by the ball around it"
    assert (first.modes[0].rmsd_lower, first.modes[0].rmsd_upper) == (0, 0)
    record = jobs[0].record()
    assert record.provenance.program_version.startswith("AutoDock Vina v1.2")
    assert record.outcome.outputs["output"].path.read_text().count("MODEL") == len(first.modes)


def test_vina_shows_its_stars_one_by_one(producer, worker, pair):
    job = producer.submit(docking(pair, exhaustiveness=12))
    seen = progress_of(job)
    assert (seen[-1].done, seen[-1].total, seen[-1].unit) == (51, 51, "steps")
    assert len(seen) > 5


def test_vina_says_what_is_wrong_with_a_ligand(producer, worker, pair, tmp_path):
    (tmp_path / "bad.pdbqt").write_text("no ligand\n")
    failure = failure_of(producer.submit(docking(pair, ligand=tmp_path / "bad.pdbqt")))
    assert "vina ended with exit code 1" in failure
    assert "PDBQT parsing error" in failure


def threads_of(job) -> int:
    """Return how many threads the job's program has, 0 when it is gone."""
    run = job.record().run
    try:
        return len(os.listdir(f"/proc/{run.pid}/task")) if run else 0
    except FileNotFoundError:
        return 0


def test_a_cancelled_vina_ends_with_all_its_threads(producer, worker, pair):
    job = producer.submit(docking(pair, exhaustiveness=10_000, cpu=4))
    eventually(lambda: threads_of(job) > 4, "it docks in threads")
    begun = time.monotonic()
    job.cancel()
    assert job.wait(timeout=10).state == "cancelled"
    assert time.monotonic() - begun < 1 + 1  # grace + 1 s
    assert threads_of(job) == 0


def test_vina_ends_with_all_its_threads_at_its_time_limit(producer, worker, pair):
    job = producer.submit(docking(pair, exhaustiveness=10_000, cpu=4), limits=Limits(run="1s"))
    with pytest.raises(JobTimedOut):
        job.result(timeout=10)
    assert 1 <= job.record().outcome.exit.elapsed_seconds < 1 + 1 + 2  # limit, grace, 2 s
    assert threads_of(job) == 0


def test_a_dry_run_shows_the_words_for_vina(cli, pair):
    box = [f"{name}={value}" for name, value in BOX.items()]
    plan = planned(cli, "dock_ligand", f"receptor={pair.receptor}", f"ligand={pair.ligand}", "seed=7", *box)
    assert plan["argv"] == [
        *(shutil.which("vina"), "--receptor", str(pair.receptor), "--ligand", str(pair.ligand)),
        *("--center_x=-0.5", "--center_y=0.0", "--center_z=0.0", "--size_x=12.0", "--size_y=12.0", "--size_z=12.0"),
        *("--out", "poses.pdbqt", "--scoring", "vina", "--exhaustiveness", "8", "--cpu", "1", "--seed", "7"),
        *("--num_modes", "9", "--energy_range", "3.0"),
    ]
