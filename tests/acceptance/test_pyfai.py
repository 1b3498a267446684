"""`pyFAI-integrate` as a task: its words, its configuration, what is read from a real run; and how the demo shows one."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ValidationError

from outrider import OutriderError, ProgramRun
from outrider.client.demo.run import check_peak
from outrider.communicators import ProgressPattern
from outrider.tasklets import Peak, strongest_peak
from outrider.tasks.library import IntegrateImages, Pattern

FRAMES = 3


def test_the_images_follow_the_options_and_the_geometry_is_no_word():
    task = IntegrateImages(images=["a.tif", "b.tif"], geometry="detector.poni", output="pattern.h5")
    assert task.argv() == (
        *("pyFAI-integrate", "--no-gui", "--json", "integration.json", "--output", "pattern.h5"),
        *("a.tif", "b.tif"),
    )


def test_the_configuration_holds_what_was_asked_for():
    task = IntegrateImages(
        images=["a.tif"], geometry="detector.poni", bins=90, unit="2th_deg", pixel_splitting="bbox", algorithm="csr"
    )
    configuration = json.loads(task.with_absolute_inputs(Path("/data")).input_files()["integration.json"])
    assert configuration == {
        "poni": "/data/detector.poni",
        "nbpt_rad": 90,
        "unit": "2th_deg",
        "method": ["bbox", "csr", "cython"],
        "error_model": "no",
    }


def test_images_and_geometry_are_inputs_and_the_pattern_is_an_output():
    fields = {field.name: field for field in IntegrateImages.task_fields()}
    assert {name for name, field in fields.items() if field.is_input} == {"images", "geometry"}
    assert {name for name, field in fields.items() if field.output} == {"output"}


@pytest.mark.parametrize(
    ("field", "value"),
    [("images", []), ("output", "pattern.csv"), ("unit", "q_nm-1"), ("bins", 1), ("algorithm", "guess")],
)
def test_what_pyfai_would_take_for_something_else_is_refused(field, value):
    parameters = {"images": ["a.tif"], "geometry": "detector.poni", field: value}
    with pytest.raises(ValidationError, match=field):
        IntegrateImages.model_validate(parameters)


def test_progress_is_read_from_the_bar_that_is_drawn_over_and_over():
    bar = "\r    Integration [■■        ]   8%  frame_0002.tif\r\r    Integration [■■■       ]   12%  frame_0003.tif\r"
    progress = ProgressPattern(IntegrateImages.progress or "").last(bar)
    assert progress is not None
    assert progress.fraction == pytest.approx(0.12)


def test_a_peak_within_one_bin_of_its_ring_is_right():
    assert "within one bin" in check_peak(Peak(21.3, 400.0), ring=21.376, bin_width=0.155)


@pytest.mark.parametrize("position", [21.2, 21.6])
def test_a_peak_further_than_one_bin_from_its_ring_is_an_error(position):
    with pytest.raises(OutriderError, match="more than one bin"):
        check_peak(Peak(position, 400.0), ring=21.376, bin_width=0.155)


@dataclass(frozen=True)
class Integration:
    """A real run of pyFAI-integrate, and where the strongest ring of its frames lies."""

    task: IntegrateImages
    run: ProgramRun
    strongest_ring: float


@pytest.fixture(scope="module")
def integration(tmp_path_factory) -> Integration:
    if importlib.util.find_spec("pyFAI") is None:
        reason = "pyFAI is not installed (extra demo)"
        pytest.fail(reason) if "CI" in os.environ else pytest.skip(reason)
    frames = _write_frames(tmp_path_factory.mktemp("frames"))
    task = IntegrateImages(images=frames["images"], geometry=frames["geometry"], output="pattern.h5")
    return Integration(task, _integrate(task, tmp_path_factory.mktemp("work")), frames["strongest_ring"])


def _write_frames(folder: Path) -> dict:
    """Simulate frames in a process of their own: pyFAI's import is heavy, and its warnings are not ours to mend."""
    code = (
        "import dataclasses, json, pathlib, sys\n"
        "from outrider.client.demo.frames import write_frames\n"
        f"frames = write_frames(pathlib.Path(sys.argv[1]), {FRAMES})\n"
        "print(json.dumps(dataclasses.asdict(frames), default=str))"
    )
    answer = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)


def _integrate(task: IntegrateImages, work: Path) -> ProgramRun:
    """Run the program as a worker would, with what it prints in files."""
    for name, text in task.input_files().items():
        (work / name).write_text(text)
    program, *words = task.argv()
    stdout, stderr = work / "stdout.log", work / "stderr.log"
    with stdout.open("wb") as out, stderr.open("wb") as err:
        ended = subprocess.run(
            [Path(sysconfig.get_path("scripts"), program), *words],
            cwd=work,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 0, stderr.read_text()
    outputs = {"output": work / task.output}
    return ProgramRun(directory=work, exit_code=0, outputs=outputs, stdout_path=stdout, stderr_path=stderr)


def test_the_result_is_the_mean_pattern_with_its_strongest_ring_in_place(integration):
    pattern = integration.task.read_result(integration.run)
    assert (pattern.unit, pattern.frames, len(pattern.radial), len(pattern.intensity)) == ("q_nm^-1", FRAMES, 500, 500)
    peak = strongest_peak(pattern.radial, pattern.intensity)
    assert peak.position == pytest.approx(integration.strongest_ring, abs=pattern.radial[1] - pattern.radial[0])
    assert 300 < peak.height < 420


def test_the_result_survives_the_way_through_json(integration):
    pattern = integration.task.read_result(integration.run)
    assert Pattern.model_validate_json(pattern.model_dump_json()) == pattern


def test_the_program_prints_progress_that_the_pattern_finds(integration):
    text = integration.run.stdout_path.read_bytes().decode()
    assert [int(match["percent"]) for match in re.finditer(IntegrateImages.progress or "", text)][-1] == 100


@pytest.mark.parametrize("unit", ["q_A^-1", "2th_deg", "2th_rad", "r_mm"])
def test_each_unit_is_found_again_in_what_the_program_wrote(integration, tmp_path, unit):
    task = integration.task.model_copy(update={"unit": unit, "images": integration.task.images[:1]})
    assert task.read_result(_integrate(task, tmp_path)).unit == unit


@pytest.mark.parametrize(("splitting", "algorithm"), [("no", "csr"), ("bbox", "csc"), ("full", "lut")])
def test_every_method_finds_the_ring(integration, tmp_path, splitting, algorithm):
    changes = {"pixel_splitting": splitting, "algorithm": algorithm, "images": integration.task.images[:1]}
    task = integration.task.model_copy(update=changes)
    pattern = task.read_result(_integrate(task, tmp_path))
    peak = strongest_peak(pattern.radial, pattern.intensity)
    assert peak.position == pytest.approx(integration.strongest_ring, abs=pattern.radial[1] - pattern.radial[0])


def test_an_image_that_the_program_left_out_is_an_error_although_it_ended_well(integration, tmp_path):
    images = [*integration.task.images, tmp_path / "missing.tif"]
    task = integration.task.model_copy(update={"images": images})
    with pytest.raises(ValueError, match="integrated 3 frames of 4 images"):
        task.read_result(_integrate(task, tmp_path))


@pytest.mark.parametrize("written", [("q", "nm^-1"), ("q", "nm^{-1}")])
def test_a_unit_is_known_however_the_version_of_pyfai_spells_it(integration, tmp_path, written):
    import h5py

    copy = Path(shutil.copy(integration.run.outputs["output"], tmp_path))
    with h5py.File(copy, "r+") as file:
        file["entry_0000/integrate/results/radial"].attrs.update(zip(("name", "unit"), written, strict=True))
    assert (
        integration.task.read_result(integration.run.model_copy(update={"outputs": {"output": copy}})).frames == FRAMES
    )


def test_another_unit_than_the_requested_is_an_error(integration):
    task = integration.task.model_copy(update={"unit": "2th_deg"})
    with pytest.raises(ValueError, match=r"over q_nm\^-1, not over 2th_deg as asked"):
        task.read_result(integration.run)
