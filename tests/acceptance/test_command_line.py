"""The command line: exit code 0 only on success, JSON for programs, a sentence for each error."""

import json
import shlex
import subprocess

import pytest
from little_tasks import Shell


def test_submit_and_watch_leave_with_zero_only_on_success(cli, worker):
    good = cli("submit", "sum", "-p", "left=1", "-p", "right=2", "--watch")
    assert (good.returncode, good.stdout.splitlines()[-1]) == (0, "succeeded")
    bad = cli("submit", "shell", "-p", "script=echo why >&2; exit 4", "--watch")
    assert bad.returncode == 1
    assert "exit code 4" in bad.stdout
    job_id = bad.stdout.splitlines()[0]
    assert cli("watch", job_id).returncode == 1
    assert cli("result", job_id).returncode == 1
    assert "why" in cli("result", job_id).stderr


def test_every_command_about_a_job_works_and_speaks_json(cli, worker):
    job_id = json.loads(cli("submit", "sum", "-p", "left=40", "-p", "right=2", "--json").stdout)["id"]
    assert json.loads(cli("result", job_id, "--timeout", "20").stdout) == 42
    assert json.loads(cli("show", job_id, "--json").stdout)["outcome"]["result"] == 42
    assert job_id in [record["spec"]["id"] for record in json.loads(cli("jobs", "--json").stdout)]
    messages = [json.loads(line) for line in cli("watch", job_id, "--json").stdout.splitlines()]
    assert [messages[0]["kind"], messages[1]["state"]] == ["snapshot", "queued"]
    assert messages[-1]["outcome"]["result"] == 42
    assert [json.loads(line)["lines"] for line in cli("logs", job_id, "--json").stdout.splitlines()] == [["42"]]
    assert cli("logs", job_id, "-f").stdout == "42\n"
    for words in (("show", job_id), ("jobs",), ("tasks",), ("describe", "sum")):
        done = cli(*words)
        assert done.returncode == 0
        assert "sum" in done.stdout
    assert "left" in json.loads(cli("describe", "sum", "--schema").stdout)["properties"]
    assert "convert_cif" in [task["name"] for task in json.loads(cli("tasks", "--json").stdout)]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("submit", "summ"), "did you mean 'sum'"),
        (("submit", "sum", "-p", "left"), "'left' is not KEY=VALUE"),
        (("submit", "sum", "-p", "left=x", "-p", "right=1"), "left='x'"),
        (("submit", "sum", "-p", "left=1", "-p", "left=2"), "left is given twice"),
        (("show", "no-such-job"), "no job has the id 'no-such-job'"),
        (("cancel", "no-such-job"), "no job has the id 'no-such-job'"),
    ],
)
def test_errors_are_one_sentence_and_no_traceback(words, sentence, cli):
    done = cli(*words)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [("OUTRIDER_GRACE", "soon"), ("OUTRIDER_BROKER_URL", "http://somewhere"), ("OUTRIDER_TASKS", "no_such_module")],
)
def test_a_wrong_setting_is_named(variable, value, cli):
    done = cli("submit", "sum", "-p", "left=1", "-p", "right=1", **{variable: value})
    assert done.returncode == 1
    assert value in done.stderr
    assert "Traceback" not in done.stderr


def test_p4_text_stays_text_on_the_command_line(cli, worker):
    done = cli("submit", "shell", "-p", 'script=echo "<$0>"', "-p", "words=0012", "--watch")
    assert "stdout: <0012>" in done.stdout


def test_p8_a_dry_run_shows_what_a_run_does(cli, worker, producer, tmp_path):
    script = 'echo "it\'s $OUTRIDER_JOB" > made.txt; echo $#'
    words = ("-p", f"script={script}", "-p", "words=a b", "-p", "words=$(c)")
    plan = json.loads(cli("dry-run", "shell_with_output", *words, "--json").stdout)
    assert plan["parameters"]["output"] == {"value": "made.txt", "from": "default"}
    assert plan["parameters"]["script"] == {"value": script, "from": "given"}
    assert set(plan["environment"]) == {"OUTRIDER_JOB", "OUTRIDER_ATTEMPT", "OUTRIDER_WORKER", "OUTRIDER_SOCKET"}
    shown = cli("dry-run", "shell_with_output", *words)
    assert shlex.join(plan["argv"]) in shown.stdout.replace("\n", "")
    by_hand = subprocess.run(
        plan["argv"], cwd=tmp_path, env={**plan["environment"], "PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )
    job = producer.submit("shell_with_output", script=script, words=["a b", "$(c)"])
    assert job.result(timeout=20) == (tmp_path / "made.txt").read_text().replace("<job id>", job.id)
    assert [line for log in job.logs() for line in log.lines] == by_hand.stdout.splitlines()
    assert list(job.record().run.argv) == plan["argv"]


def test_p8_a_dry_run_needs_no_redis(cli):
    done = cli("dry-run", "sum", "-p", "left=1", "-p", "right=2", OUTRIDER_BROKER_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 0
    assert "sum 1 2" in done.stdout


def test_a_dry_run_shows_all_where_the_program_is_not_installed(cli, tmp_path):
    (tmp_path / "afar.yaml").write_text("executable: only-afar\nparameters: {n: {type: int, flag: -n}}\n")
    done = cli("dry-run", "afar", "-p", "n=2", OUTRIDER_TASKS=str(tmp_path / "afar.yaml"))
    assert "only-afar -n 2" in done.stdout
    assert done.returncode == 1
    assert "there is no program 'only-afar' on this machine" in done.stderr


def test_cancel_on_the_command_line_stops_the_program(cli, worker, producer):
    job = producer.submit(Shell(script="sleep 60"))
    assert cli("cancel", job.id).returncode == 0
    assert job.wait(timeout=20).state == "cancelled"
