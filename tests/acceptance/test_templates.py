"""Rendered files, roots and working directories, through a real worker."""

import json
import os
from pathlib import Path

import pytest
from file_tasks import InFolder, Rendered, StagesItself
from support import eventually


@pytest.fixture(scope="module")
def folders(short_folder: Path) -> dict[str, Path]:
    """Folders that are roots of a worker's, and one that is none."""
    found = {name: short_folder / f"roots-{name}" for name in ("in", "out", "else")}
    for folder in found.values():
        folder.mkdir()
        (folder / "data.txt").write_text("data\n")
    (found["in"] / "leads-out").symlink_to(found["else"] / "data.txt")
    (found["out"] / "leads-out").symlink_to(found["else"])
    return found


@pytest.fixture(scope="module")
def rooted_worker(start_worker, folders):
    return start_worker(
        "--queues=rooted",
        OUTRIDER_QUEUE="rooted",
        OUTRIDER_TASKS="file_tasks",
        OUTRIDER_INPUT_ROOTS=f"/nowhere:{folders['in']}",
        OUTRIDER_OUTPUT_ROOTS=str(folders["out"]),
    )


@pytest.fixture
def submit(producer, rooted_worker, folders):
    """Submit, and make sure afterwards that the worker lives and nothing was written elsewhere."""
    yield producer.Client(producer.Settings(queue="rooted")).submit
    assert rooted_worker.process.poll() is None
    assert sorted(path.name for path in folders["else"].iterdir()) == ["data.txt"]


def test_p5_the_program_reads_its_rendered_files_and_its_output_goes_to_a_root(submit, folders):
    job = submit(Rendered(source=folders["in"] / "data.txt", levels=[1, 2], made=folders["out"] / "new/made.json"))
    assert job.result(timeout=20) == {"source": str(folders["in"] / "data.txt"), "first": 1, "levels": [1, 2]}
    record = job.record()
    assert record.outcome.outputs["made"].path == folders["out"] / "new/made.json"
    assert record.run.argv[-1] == "outputs/made/made.json"
    assert (record.run.directory / "conf/task.json").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source": "in/leads-out"}, "OUTRIDER_INPUT_ROOTS"),
        ({"source": "else/data.txt"}, "OUTRIDER_INPUT_ROOTS"),
        ({"made": "out/leads-out/made.json"}, "OUTRIDER_OUTPUT_ROOTS"),
        ({"made": "out/../roots-else/made.json"}, "OUTRIDER_OUTPUT_ROOTS"),
        ({"levels": []}, "template 'conf/task.json', line 3: list object has no element 0"),
    ],
    ids=str,
)
def test_s2_and_p5_what_may_not_be_fails_before_the_program_starts(submit, folders, change, words):
    names = {"source": "in/data.txt", "made": "out/refused.json", **change}
    paths = {
        name: folders[names[name].partition("/")[0]] / names[name].partition("/")[2] for name in ("source", "made")
    }
    job = submit(Rendered(levels=change.get("levels", [1]), **paths))
    outcome = job.wait(timeout=20)
    assert (outcome.state, outcome.reason, outcome.exit) == ("failed", "validation", None)
    assert words in outcome.error
    assert job.record().run is None


def test_p6_a_program_works_in_the_folder_that_it_is_given(submit, folders):
    job = submit(InFolder(folder=folders["out"]))
    assert job.result(timeout=20) == f"{folders['out']}\n"
    assert (folders["out"] / "left-here").exists()
    assert Path(job.record().run.argv[-1]).is_absolute()
    refused = submit(InFolder(folder=folders["out"] / "leads-out")).wait(timeout=20)
    assert (refused.reason, "OUTRIDER_OUTPUT_ROOTS" in refused.error) == ("validation", True)


def test_p5_python_code_writes_under_a_staged_name_too(submit, folders):
    job = submit(StagesItself(made=folders["out"] / "own.txt"))
    assert job.result(timeout=30) == "outputs/made/own.txt"
    assert (folders["out"] / "own.txt").read_text() == "made\n"


def test_s2_a_link_swapped_in_while_the_program_runs_leads_nowhere(submit, folders):
    (folders["out"] / "day").mkdir()
    go = folders["out"] / "go"
    job = submit(Rendered(source=folders["in"] / "data.txt", made=folders["out"] / "day/made.json", wait_for=str(go)))
    eventually(lambda: job.record().state == "running", "the program runs")
    os.rmdir(folders["out"] / "day")
    (folders["out"] / "day").symlink_to(folders["else"])
    go.touch()
    outcome = job.wait(timeout=20)
    assert (outcome.state, outcome.reason) == ("failed", "environment")
    assert f"which leads to {folders['else']}/made.json" in outcome.error


def test_p8_a_dry_run_shows_the_rendered_files_and_where_outputs_go(cli, folders):
    words = ("-p", f"source={folders['in']}/data.txt", "-p", "levels=1", "-p", f"made={folders['out']}/made.json")
    plan = json.loads(cli("dry-run", "rendered", *words, "--json", OUTRIDER_TASKS="file_tasks").stdout)
    assert plan["argv"][-1] == "outputs/made/made.json"
    assert plan["outputs"]["made"] == {
        "written": "<job directory>/attempt-1/work/outputs/made/made.json",
        "moved": f"{folders['out']}/made.json",
    }
    assert json.loads(plan["input_files"]["conf/task.json"])["levels"] == [1]
    assert plan["parameters"]["wait_for"] == {"value": "", "from": "default"}
    words = ("-p", f"folder={folders['out']}")
    plan = json.loads(cli("dry-run", "in_folder", *words, "--json", OUTRIDER_TASKS="file_tasks").stdout)
    assert plan["directory"] == str(folders["out"])
    assert plan["argv"][-1] == "<job directory>/attempt-1/work/made.txt"
