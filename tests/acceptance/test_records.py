"""E9, E10 and provenance with real workers: what is kept of a job, for how long, and what it tells a year later."""

import hashlib
import json
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from little_tasks import CopyFile, Shell, ShellWithOutput, TouchesItsInput
from own_tasks import Big, FindPeaks
from support import eventually

import outrider
from outrider import Client, JobCancelled, JobFailed, JobTimedOut, Limits, RetryPolicy, Settings, WaitTimeout
from outrider.client import SubmitOptions
from outrider.communicators import read_record

HALF = "echo at 1 of 2 frames; printf half > made.txt; "


def folder_of(job: outrider.Job) -> Path:
    return job.record().run.directory.parent.parent


def on_disk(job: outrider.Job) -> outrider.JobRecord:
    folder = folder_of(job)
    eventually((folder / "record.json").exists, "the record is on disk")
    return read_record(folder)


def check_partial(job: outrider.Job, error: type[Exception]) -> None:
    record = job.record()
    made = record.outcome.outputs["output"]
    assert (made.path, made.partial) == (folder_of(job) / "partial" / "made.txt", True)
    assert (made.path.read_text(), made.sha256) == ("half", hashlib.sha256(b"half").hexdigest())
    assert (record.progress.done, record.progress.total) == (1, 2)
    assert on_disk(job).outcome == record.outcome
    with pytest.raises(error):
        job.outputs()
    assert job.outputs(partial=True) == {"output": made.path}


@pytest.mark.usefixtures("worker")
def test_e9_after_a_failure_outputs_and_progress_are_kept_and_marked_partial(producer):
    job = producer.submit(ShellWithOutput(script=HALF + "exit 3"))
    assert job.wait(timeout=20).reason == "exit_code"
    check_partial(job, JobFailed)


@pytest.mark.usefixtures("worker")
def test_e9_after_a_time_out_they_are_kept(producer):
    job = producer.submit(ShellWithOutput(script=HALF + "exec sleep 60"), limits=Limits(run="1s"))
    assert job.wait(timeout=20).state == "timed_out"
    check_partial(job, JobTimedOut)


@pytest.mark.usefixtures("worker")
def test_e9_after_a_cancel_they_are_kept_and_a_following_job_may_use_them(producer):
    job = producer.submit(ShellWithOutput(script=HALF + "exec sleep 60"))
    eventually(lambda: job.record().progress, "it has done something")
    with pytest.raises(WaitTimeout):
        job.outputs(partial=True)
    job.cancel()
    assert job.wait(timeout=20).state == "cancelled"
    check_partial(job, JobCancelled)
    follows = producer.submit(CopyFile(source=job.outputs(partial=True)["output"]))
    follows.wait(timeout=20)
    assert follows.outputs()["copy_name"].read_text() == "half"


@pytest.mark.usefixtures("worker")
def test_e10_the_directory_holds_parameters_logs_result_and_artefacts(producer):
    job = producer.submit(FindPeaks(count=2))
    job.result(timeout=20)
    kept, folder = on_disk(job), folder_of(job)
    assert json.loads((folder / "parameters.json").read_text())["parameters"] == {"count": 2}
    assert "looking for 2 peaks" in (folder / "attempt-1" / "stderr.log").read_text()
    assert kept.outcome.result == job.record().outcome.result
    assert (folder.parent / kept.outcome.artifacts["table.txt"].key).read_text() == "peaks\n"


@pytest.mark.usefixtures("worker")
def test_e10_the_record_on_disk_says_what_the_ledger_said(producer):
    job = producer.submit(ShellWithOutput(script="echo at 1 of 2 frames; printf made > made.txt"))
    job.result(timeout=20)
    apart = {"started_at", "ended_at", "progress"}  # by the worker's clock, and numbered on its own
    kept, known = (json.loads(record.model_dump_json(exclude=apart)) for record in (on_disk(job), job.record()))
    assert kept == known


@pytest.mark.usefixtures("worker")
def test_provenance_of_a_program(producer, tmp_path):
    source = tmp_path / "in"
    source.write_bytes(b"abc")
    job = producer.submit(CopyFile(source=source))
    job.wait(timeout=20)
    known = job.record().provenance
    assert known.inputs[str(source)].sha256 == hashlib.sha256(b"abc").hexdigest()
    assert known.platform.startswith("Linux-")
    assert {"celery", "pydantic", "redis"} <= set(known.packages)


@pytest.mark.usefixtures("worker")
def test_provenance_of_a_first_party_task_has_the_versions_that_it_used(producer):
    job = producer.submit(Big(size=80))
    job.result(timeout=20)
    assert job.record().provenance.packages["numpy"] == np.__version__
    assert "celery" not in job.record().provenance.packages


@pytest.mark.usefixtures("worker")
def test_an_input_that_is_touched_meanwhile_has_no_sha256(producer, tmp_path):
    source = tmp_path / "in"
    source.write_bytes(b"abc")

    job = producer.submit(TouchesItsInput(source=source))
    job.wait(timeout=20)
    recorded = job.record().provenance.inputs[str(source)]
    assert (recorded.size, recorded.sha256) == (3, "")


@pytest.fixture
def own_worker(start_worker, tmp_path, request) -> Callable[..., Client]:
    """Start a worker with settings of its own, and return a client of its queue."""

    def start(**variables: str) -> Client:
        jobs, queue = tmp_path / "jobs", f"records-{tmp_path.name}"
        worker = start_worker(OUTRIDER_QUEUE=queue, OUTRIDER_WORK_ROOT=str(jobs), **variables)
        request.addfinalizer(worker.stop)
        return Client(Settings(queue=queue, work_root=jobs, **settings(variables)))

    def settings(variables: dict[str, str]) -> dict[str, str]:
        return {name.removeprefix("OUTRIDER_").lower(): value for name, value in variables.items()}

    return start


def test_without_hashing_sizes_and_times_are_recorded(own_worker, tmp_path):
    source = tmp_path / "in"
    source.write_bytes(b"abc")
    job = own_worker(OUTRIDER_HASH_INPUTS="false").submit(CopyFile(source=source))
    outcome = job.wait(timeout=20)
    recorded = job.record().provenance.inputs[str(source)]
    assert (recorded.size, recorded.sha256) == (3, "")
    assert outcome.outputs["copy_name"].sha256 == hashlib.sha256(b"abc").hexdigest()


def test_e10_working_folders_go_with_their_jobs_when_the_settings_say_so(own_worker):
    client = own_worker(OUTRIDER_KEEP_WORK="unsuccessful")
    well = client.submit(ShellWithOutput(script="printf made > made.txt; touch scratch"))
    badly = client.submit(ShellWithOutput(script="touch scratch; exit 3"))
    assert well.result(timeout=20) == "made"
    badly.wait(timeout=20)
    eventually(lambda: not (folder_of(well) / "attempt-1" / "work").exists(), "the working folder is gone")
    eventually((folder_of(badly) / "record.json").exists, "the other job's end is on disk")
    assert (folder_of(badly) / "attempt-1" / "work" / "scratch").exists()
    assert well.outputs()["output"].read_text() == "made"


def test_the_record_on_disk_names_the_attempts_before(own_worker):
    retry = RetryPolicy(exit_codes={75}, max_attempts=2, backoff="0s")
    task = Shell(script="case $PWD in *attempt-1*) exit 75;; esac")
    job = own_worker(OUTRIDER_LEASE="2s").submit(task, options=SubmitOptions(retry=retry))
    job.result(timeout=30)
    kept = on_disk(job)
    assert kept.attempts == job.record().attempts
    assert kept.attempts[1].exit.exit_code == 75
    assert read_record(folder_of(job) / "attempt-1").outcome.exit.exit_code == 75


def test_e10_old_directories_and_artefacts_are_removed_by_the_worker_and_open_jobs_keep_theirs(own_worker, tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    client = own_worker(OUTRIDER_KEEP_DIRECTORIES="2s", OUTRIDER_ARTIFACT_URL=f"file://{store}")
    runs = client.submit(Shell(script="exec sleep 60"))
    eventually(lambda: runs.status() == "running", "it runs")
    ended = [client.submit(FindPeaks(count=1)), client.submit(Shell(script="exit 3"))]
    folders = [folder_of(job) for job in ended if job.wait(timeout=20)]
    assert (store / ended[0].id).exists()
    eventually(lambda: not any(folder.exists() for folder in folders), "their directories are gone", 20)
    eventually(lambda: not (store / ended[0].id).exists(), "and the artefacts")
    assert runs.status() == "running"
    assert folder_of(runs).exists()
    assert ended[1].status() == "failed", "the ledger's record has a time of its own"
    runs.cancel()
    runs.wait(timeout=20)


def test_e10_an_admin_cleans_up_by_hand(own_worker, cli, tmp_path):
    client = own_worker()
    job = client.submit(Shell(script="true"))
    job.wait(timeout=20)
    folder = folder_of(job)
    eventually((folder / "record.json").exists, "its end is on disk")
    variables = {"OUTRIDER_WORK_ROOT": str(tmp_path / "jobs")}
    assert "--older-than" in cli("clean", **variables).stderr
    assert "'soon' is no duration" in cli("clean", "--older-than", "soon", **variables).stderr
    assert "nothing in" in cli("clean", "--older-than", "30d", **variables).stderr
    month_ago = time.time() - timedelta(days=31).total_seconds()
    os.utime(folder / "record.json", (month_ago, month_ago))
    listed = json.loads(cli("clean", "--older-than", "30d", "--dry-run", "--json", **variables).stdout)
    assert [(line["id"], line["end"]) for line in listed] == [(job.id, "would be removed")]
    assert folder.exists()
    done = cli("clean", OUTRIDER_KEEP_DIRECTORIES="30d", **variables)
    assert (done.returncode, job.id in done.stdout, "removed" in done.stdout) == (0, True, True)
    assert not folder.exists()
