"""`outrider run`: the same words, the same output, the same record as on the cluster, without a broker."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from attempts import runs
from support import eventually

from outrider.communicators import JobRecord

SCRIPT = "script=echo at 1 of 2 steps; sleep 0.3; echo at 2 of 2 steps; echo done"
NOWHERE = {"OUTRIDER_BROKER_URL": "redis://127.0.0.1:1/0", "OUTRIDER_CONNECT_TIMEOUT": "1"}


def record_of(output: str, jobs: Path) -> JobRecord:
    return JobRecord.model_validate_json((jobs / output.split(maxsplit=1)[0] / "record.json").read_text())


def comparable(output: str) -> list[str]:
    """Return lines without what differs from run to run; streams are told in any order."""
    known = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", output)
    known = re.sub(r"in queue '\w+'|on \S+@\S+|used .*|starting in attempt 1\n", "", known)
    return sorted(known.splitlines())


@pytest.mark.parametrize("strategy", ["asyncio", "thread", "process"])
def test_k2_run_prints_and_records_what_submit_does(cli, worker, environment, strategy):
    jobs = Path(environment["OUTRIDER_WORK_ROOT"])
    here = cli("run", "shell", "-p", SCRIPT, "--strategy", strategy, **NOWHERE)
    there = cli("submit", "shell", "-p", SCRIPT, "--watch")
    assert (here.returncode, there.returncode) == (0, 0), here.stderr
    assert comparable(here.stdout) == comparable(there.stdout)
    one, other = (record_of(done.stdout, jobs) for done in (here, there))
    differ = {"id", "queue", "submitted_by"}
    assert one.spec.model_dump(exclude=differ) == other.spec.model_dump(exclude=differ)
    assert one.run.argv == other.run.argv
    assert sorted(one.run.environment) == sorted(other.run.environment)
    assert one.outcome.state == other.outcome.state == "succeeded"
    assert one.progress.fraction == other.progress.fraction == 1.0
    same = {"outrider_version", "platform", "python_version", "inputs"}
    assert one.provenance.model_dump(include=same) == other.provenance.model_dump(include=same)


def test_run_needs_no_redis_and_starts_none(cli, tmp_path):
    (tmp_path / ".outrider").mkdir()
    own = {"OUTRIDER_PROJECT": str(tmp_path), "OUTRIDER_WORK_ROOT": str(tmp_path / "jobs")}
    done = cli("run", "sum", "-p", "left=20", "-p", "right=22", **NOWHERE, **own)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("succeeded\n")
    assert list((tmp_path / ".outrider").iterdir()) == []
    assert len(list((tmp_path / "jobs").iterdir())) == 1


def test_run_takes_job_files_tasklets_and_prints_json(cli, tmp_path):
    (tmp_path / "job.yaml").write_text("task: shell\nparameters: {script: 'echo 42'}\n")
    done = cli("run", "job.yaml", "--after", "grep_text ../stdout.log 42", "--json", **NOWHERE)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["kind"] for line in lines if line["kind"] in ("tasklet", "finished")] == ["tasklet", "finished"]
    assert [line["state"] for line in lines if line["kind"] == "state"] == ["queued", "starting", "running"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["shell", "-p", "script=echo no >&2; exit 3"], 1, "failed (exit_code): sh ended with exit code 3"),
        (["no_program"], 1, "failed (environment): there is no program 'no-such-program'"),
        (["shel"], 1, "no task is called 'shel'; did you mean 'shell'?"),
        (["sum", "-p", "left=x"], 1, "left='x'"),
        (["sum", "--strategy", "celery"], 2, "'celery' is not one of 'asyncio', 'thread', 'process'"),
    ],
)
def test_what_does_not_go_well_is_said_and_told_by_the_exit_code(cli, words, code, said):
    done = cli("run", *words, **NOWHERE)
    assert done.returncode == code
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_x6_interrupted_it_cancels_the_job_and_leaves_nothing(environment, tmp_path, number):
    file = tmp_path / "pids"
    script = f"trap '' TERM; setsid sh -c 'echo $$ >> {file}; sleep 60' & echo $$ >> {file}; sleep 60; sleep 60"
    words = [sys.executable, "-m", "outrider", "run", "shell", "-p", f"script={script}"]
    process = subprocess.Popen(words, env={**os.environ, **NOWHERE}, stdout=subprocess.PIPE, text=True)

    def pids():
        return [int(word) for word in file.read_text().split()] if file.exists() else []

    eventually(lambda: len(pids()) == 2, "it runs", 20)
    process.send_signal(number)
    output, _ = process.communicate(timeout=15)
    assert process.returncode == 130
    assert "cancelled: sh was cancelled, and ended by SIGKILL" in output
    assert [pid for pid in pids() if runs(pid)] == []
    assert record_of(output, Path(environment["OUTRIDER_WORK_ROOT"])).state == "cancelled"
