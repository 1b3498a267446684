"""J11: jobs are found, compared, run again and handed on."""

import hashlib
import json
import logging
import shutil
import subprocess
import tarfile
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from little_tasks import CopyFile, Shell, ShellWithOutput, Sum
from own_tasks import Writes

from outrider.client import compare, default_client
from outrider.config.errors import AmbiguousJob, CannotExport, InvalidParameters, JobNotFound, UnknownTask


def test_j11_jobs_are_filtered_by_state_task_time_and_parameter(producer, worker):
    before = datetime.now(UTC)
    good = producer.submit(Sum(left=11, right=4711))
    bad = producer.submit(Shell(script="exit 3", words=["j11", "0012"]))
    assert good.result(20) == 4722
    bad.wait(20)

    def found(**wanted):
        return [record.id for record in producer.jobs(since=before, **wanted)]

    assert found() == [bad.id, good.id], "the newest first"
    assert found(state="failed") == [bad.id]
    assert found(state=["failed", producer.JobState.SUCCEEDED]) == [bad.id, good.id]
    assert found(state="closed") == [bad.id, good.id]
    assert found(state="open") == []
    assert found(task="sum") == [good.id]
    assert found(parameters={"right": 4711}) == [good.id]
    assert found(parameters={"right": 4711, "left": 12}) == []
    assert found(parameters={"words": "j11"}) == [bad.id], "a list has what it holds"
    assert found(parameters={"words": ["j11", "0012"]}) == [bad.id]
    assert found(parameters={"words": 12}) == []
    assert found(until=before) == []
    assert good.id in [
        record.id
        for record in producer.jobs(since=timedelta(minutes=5), until=datetime.now().astimezone().replace(tzinfo=None))
    ]
    assert producer.jobs(until=timedelta(days=365)) == []
    assert len(found(state="closed")[:1]) == len(producer.jobs(1, since=before, state="closed")) == 1
    with pytest.raises(ValueError, match="'ready'; there are open, closed, queued"):
        producer.jobs(state="ready")


def test_j11_the_command_finds_jobs_by_words(cli, producer, worker):
    job = producer.submit(Sum(left=500, right=90210))
    other = producer.submit(Shell(script="true", words=["90210"]))
    job.wait(20), other.wait(20)
    words = ("jobs", "--since", "2h", "-n", "5", "--json")

    def found(*more):
        done = cli(*words, *more)
        assert done.returncode == 0, done.stderr
        return [record["spec"]["id"] for record in json.loads(done.stdout)]

    assert found("--task", "sum", "-p", "right=90210", "-p", "left=500") == [job.id]
    assert found("--state", "succeeded", "--state", "failed", "-p", "words=90210") == [other.id]
    assert found("-p", "right=90210", "--until", "2020-01-01") == []
    assert found("-p", "right=90210", "--since", "2020-01-01T10:00") == [job.id]
    assert job.id in cli("jobs", "-p", "right=90210").stdout
    assert "no such jobs" in cli("jobs", "-p", "right=90211").stderr
    for wrong, sentence in (
        (("--state", "ready"), "'open', 'closed', 'queued'"),
        (("--since", "soon"), "'soon' is neither a time"),
        (("-p", "right"), "'right' is not KEY=VALUE"),
    ):
        done = cli("jobs", *wrong)
        assert (done.returncode, sentence in done.stderr) == (2, True), done.stderr


def test_a_shortened_id_stands_for_a_job_as_long_as_it_is_the_only_one(cli, producer, worker):
    job = producer.submit(Sum(left=1, right=1))
    job.wait(20)
    client = default_client()
    assert client.find(job.id[:13]).id == job.id
    assert f"{job.id}" in cli("show", job.id[:13]).stdout
    assert cli("watch", job.id[:13]).returncode == 0
    assert cli("result", job.id[:13]).stdout == "2\n"
    assert json.loads(cli("cancel", job.id[:13], "--json").stdout) == {"id": job.id, "state": "succeeded"}
    with pytest.raises(JobNotFound):
        client.find(job.id[:3])
    from outrider.communicators import JobSpec, commands

    for end in "ab":
        spec = JobSpec(id=f"twins-{end}", task="sum", version="", parameters={}, queue="nobody")
        client.redis.run(commands.open_job(spec, client.bounds))
    with pytest.raises(AmbiguousJob, match="twins-b, twins-a"):
        client.find("twins")
    assert client.find("twins-a").id == "twins-a"
    assert cli("show", "twins").stderr.count("twins-") == 2
    told = [json.loads(cli(*words, "--json").stdout) for words in (("send", "twins-a", "7"), ("cancel", "twins-a"))]
    assert told == [{"id": "twins-a", "state": "queued"}, {"id": "twins-a", "state": "cancelled"}]
    client.job("twins-b").cancel()


def test_j11_two_runs_are_compared(cli, producer, worker, tmp_path):
    first_input, second_input = tmp_path / "a.txt", tmp_path / "b.txt"
    first_input.write_text("same")
    second_input.write_text("same")
    a, b = (producer.submit(CopyFile(source=path)) for path in (first_input, second_input))
    a.wait(20), b.wait(20)
    same = cli("diff", a.id, b.id)
    assert same.returncode == 0, same.stdout
    assert "moved" in same.stdout
    second_input.write_text("other")
    c = producer.submit(CopyFile(source=second_input))
    c.wait(20)
    different = cli("diff", b.id[:13], c.id)
    assert different.returncode == 1
    assert str(second_input) in different.stdout
    told = json.loads(cli("diff", b.id, c.id, "--json").stdout)
    counting = {difference["section"] for difference in told["differences"] if difference["counts"]}
    assert counting == {"inputs", "outputs"}
    assert cli("diff", a.id, a.id).returncode == 0
    trouble = cli("diff", a.id, "no-such-job")
    assert (trouble.returncode, "no job has the id" in trouble.stderr) == (2, True)


def test_j11_any_job_is_run_again_by_its_id_with_changed_parameters(cli, producer, worker):
    limits, retry = producer.Limits(run="1m"), producer.RetryPolicy(exit_codes={75})
    job = producer.submit(Sum(left=40, right=2), limits=limits, retry=retry)
    assert job.result(20) == 42
    again = job.rerun()
    assert again.result(20) == 42
    record = again.record()
    assert (record.spec.rerun_of, record.spec.limits, record.spec.retry) == (job.id, limits, retry)
    assert record.spec.parameters == job.record().spec.parameters
    assert job.rerun(left=1).result(20) == 3
    done = cli("rerun", job.id[:13], "-p", "right=60", "--watch")
    assert done.returncode == 0, done.stderr
    new = done.stdout.splitlines()[0]
    assert cli("result", new).stdout == "100\n"
    assert f"repeats       {job.id}" in cli("show", new).stdout
    told = json.loads(cli("rerun", job.id, "--queue", "elsewhere", "--json").stdout)
    waiting = producer.job(told["id"])
    assert (told["rerun_of"], waiting.record().spec.queue) == (job.id, "elsewhere")
    waiting.cancel()


def test_what_cannot_be_run_again_says_why_and_what_has_changed_is_said(cli, producer, worker, caplog):
    from outrider.communicators import JobSpec, commands

    client = default_client()
    for job_id, task, parameters in (("gone-1", "gone", {}), ("old-1", "sum", {"left": 1, "centre": 2})):
        spec = JobSpec(id=job_id, task=task, version="0.9", parameters=parameters, queue="nobody")
        client.redis.run(commands.open_job(spec, client.bounds))
    with pytest.raises(UnknownTask, match="no task is called 'gone'"):
        client.job("gone-1").rerun()
    with pytest.raises(InvalidParameters, match="centre: there is no such field"):
        client.job("old-1").rerun(right=2)
    spec = JobSpec(id="old-2", task="sum", version="0.9", parameters={"left": 1, "right": 2}, queue="outrider")
    client.redis.run(commands.open_job(spec, client.bounds))
    with caplog.at_level(logging.WARNING):
        assert client.job("old-2").rerun().result(20) == 3
    assert "has version 1; job old-2 ran version 0.9" in caplog.text
    done = cli("rerun", "old-2", "-p", "left=x")
    assert (done.returncode, "left='x'" in done.stderr) == (1, True)
    assert "job old-2 ran version 0.9" in cli("rerun", "old-2").stderr
    for job_id in ("gone-1", "old-1", "old-2"):
        client.job(job_id).cancel()


def test_lists_are_replaced_and_nothing_is_lost_on_the_way(cli, producer, worker):
    job = producer.submit(Shell(script='printf "%s." "$@"', words=["a b", "-x", "0012"]))
    job.wait(20)
    assert job.rerun().record().spec.parameters == job.record().spec.parameters
    new = cli("rerun", job.id, "-p", "words=one", "-p", "words={two}", "--watch").stdout.splitlines()[0]
    assert producer.job(new).record().spec.parameters == {"script": 'printf "%s." "$@"', "words": ["one", "{two}"]}


def test_a_job_is_exported_moved_and_run_again_with_the_same_outputs(cli, producer, worker, tmp_path):
    source = tmp_path / "with space's.txt"
    source.write_text("content")
    job = producer.submit(CopyFile(source=source, copy_name=Path("the copy;$(touch bad)")))
    job.wait(20)
    done = cli("export", job.id, "handed on")
    assert (done.returncode, done.stderr) == (0, "")
    moved = tmp_path / "moved" / "else where"
    moved.parent.mkdir()
    (tmp_path / "handed on").rename(moved)
    source.unlink()
    for run in ("run", "run-2"):
        again = subprocess.run(["sh", "run.sh"], cwd=moved, capture_output=True, text=True)
        assert again.returncode == 0, again.stderr
        assert "OK" in again.stderr
        assert _sha256(moved / run / "the copy;$(touch bad)") == job.record().outcome.outputs["copy_name"].sha256
    assert not list(moved.rglob("bad"))
    assert "OUTRIDER" not in (moved / "run.sh").read_text().replace("unset OUTRIDER_SOCKET", "")
    names = {"record.json", "job.yaml", "inputs", "outputs", "stdout.log", "stderr.log", "run.sh", "README.txt"}
    assert names <= {path.name for path in moved.iterdir()}
    assert (moved / "description" / "little_tasks.py").is_file()
    import yaml

    assert yaml.safe_load((moved / "job.yaml").read_text())["parameters"]["source"] == "./inputs/with space's.txt"


@pytest.mark.parametrize("change", ["changed", "missing"])
def test_an_export_says_loudly_that_an_input_has_changed(change, cli, producer, worker, tmp_path):
    source = tmp_path / "in.txt"
    source.write_text("content")
    job = producer.submit(CopyFile(source=source))
    job.wait(20)
    source.write_text("CONTENT") if change == "changed" else source.unlink()
    done = cli("export", job.id)
    assert done.returncode == 1
    folder = tmp_path / f"copy_file-{job.id[:8]}"
    sentence = f"the input {source} HAS CHANGED" if change == "changed" else f"the input {source} cannot be copied"
    assert sentence in done.stderr
    assert sentence in (folder / "README.txt").read_text()
    assert (folder / "outputs" / "copy").read_text() == "content"
    if change == "changed":
        again = subprocess.run(["sh", "run.sh"], cwd=folder, capture_output=True, text=True)
        assert "some outputs are not those of the record" in again.stderr
    assert cli("export", job.id, "without", "--no-inputs").returncode == 0
    assert not (tmp_path / "without" / "inputs").exists()
    refused = cli("export", job.id)
    assert (refused.returncode, "exists already" in refused.stderr) == (1, True)


def test_an_export_may_be_an_archive(cli, producer, worker, tmp_path):
    job = producer.submit(ShellWithOutput(script="echo made > made.txt"))
    job.wait(20)
    for name in ("run.tar.gz", "run.zip"):
        assert cli("export", job.id, name).returncode == 0
    with tarfile.open(tmp_path / "run.tar.gz") as archive:
        archive.extractall(tmp_path / "tar", filter="data")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        archive.extractall(tmp_path / "zip")
    for folder in ("tar", "zip"):
        again = subprocess.run(["sh", "run/run.sh"], cwd=tmp_path / folder, capture_output=True, text=True)
        assert again.returncode == 0, again.stderr
        assert (tmp_path / folder / "run" / "run" / "made.txt").read_text() == "made\n"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".outrider-export")) == []


def test_a_first_party_task_is_exported_and_runs_alone(cli, producer, worker, tmp_path):
    job = producer.submit(Writes(text="by hand"))
    job.wait(20)
    assert cli("export", job.id, "own").returncode == 0
    again = subprocess.run(["sh", "run.sh"], cwd=tmp_path / "own", capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    outputs = job.record().outcome.outputs
    file = outputs["made"]
    assert _sha256(tmp_path / "own" / "run" / "attempt-1" / "work" / file.path.name) == file.sha256


def test_what_has_not_run_here_is_not_exported(producer, worker, tmp_path):
    client = default_client()
    job = producer.submit(ShellWithOutput(script="echo made > made.txt"))
    job.wait(20)
    record = job.record()
    elsewhere = record.model_copy(update={"run": record.run.model_copy(update={"host": "far.example"})})
    shutil.move(client.jobs_directory / job.id, tmp_path / "away")
    with pytest.raises(CannotExport, match=r"is not on this machine; it ran on far\.example"):
        client.export(elsewhere, tmp_path / "x")
    with pytest.raises(CannotExport, match="it is running"):
        client.export(record.model_copy(update={"state": producer.JobState.RUNNING}), tmp_path / "x")
    with pytest.raises(CannotExport, match="never started"):
        client.export(record.model_copy(update={"run": None}), tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_job_that_the_ledger_has_forgotten_is_read_from_its_directory(cli, producer, worker, tmp_path):
    jobs = [producer.submit(Sum(left=20, right=right)) for right in (1, 2)]
    for job in jobs:
        job.wait(20)
    client = default_client()
    for job in jobs:
        client.redis._execute(("DEL", f"outrider:job:{job.id}"))
        client.redis._execute(("ZREM", "outrider:jobs", job.id))
    a, b = (job.id for job in jobs)
    shown = cli("show", a[:13])
    assert a in shown.stdout
    assert f"The ledger has forgotten this job; what follows is from {client.jobs_directory / a}" in shown.stderr
    assert cli("diff", a, b).returncode == 1
    assert cli("export", a).returncode == 0
    assert json.loads(cli("rerun", b, "--json").stdout)["rerun_of"] == b
    (client.jobs_directory / a / "record.json").write_text("{")
    done = cli("show", a)
    assert (done.returncode, "is no job's record" in done.stderr) == (1, True)
    (client.jobs_directory / a / "record.json").unlink()
    with pytest.raises(JobNotFound):
        client.record(a)
    with pytest.raises(JobNotFound):
        client.record("../jobs")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_two_runs_of_the_same_are_the_same(producer, worker):
    a, b = (producer.submit(ShellWithOutput(script='echo "$PWD" >&2; echo made > made.txt')) for _ in range(2))
    a.wait(20), b.wait(20)
    assert [d for d in compare(a.record(), b.record()) if d.counts] == []
