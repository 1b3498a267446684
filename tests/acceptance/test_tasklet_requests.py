"""Which tasklets run, and with what arguments, is said in Python, in YAML and on the command line; and what is shown of them."""

import json

import pytest
from own_tasklets import add, total
from tasks_with_tasklets import Counted, digits_of, doubled, squared

import outrider
from outrider import InvalidFile, InvalidTasklet, Settings, TaskletCall, UnknownTasklet
from outrider.client import SubmitOptions

QUEUE = "tasklet-requests"
MODULES = "tasks_with_tasklets,own_tasklets,little_tasks"


@pytest.fixture(scope="module")
def variables():
    return {"OUTRIDER_TASKS": MODULES, "OUTRIDER_QUEUE": QUEUE}


@pytest.fixture(scope="module", autouse=True)
def tasklet_worker(start_worker, variables):
    return start_worker(**variables)


@pytest.fixture
def client(environment):
    return outrider.Client(Settings(queue=QUEUE, tasks=tuple(MODULES.split(","))))


def told(job):
    """Return what ran: the place, the name and the state of each."""
    return [(run.place, run.tasklet, str(run.state)) for run in job.tasklets()]


# In Python


def test_t2_a_job_runs_the_classs_tasklets_and_those_of_its_submission_in_order(client):
    options = SubmitOptions(before=add.si(1), after=[add.s("{{ result }}", y=3), {"total": [[1, 2]]}])
    job = client.submit(Counted(number=21), options=options)
    assert job.result(timeout=20) == 42
    assert told(job) == [
        ("before", "doubled", "succeeded"),
        ("before", "add", "succeeded"),
        ("after", "digits_of", "succeeded"),
        ("after", "checksum", "succeeded"),
        ("after", "add", "succeeded"),
        ("after", "total", "succeeded"),
    ]
    parts = {run.tasklet: run.parts for run in job.tasklets()}
    assert parts["digits_of"][0].rows == ((0, "4"), (1, "2")), "it got the result"
    assert [part.text for part in (*parts["add"], *parts["total"])] == ["45", "3.0"]
    assert job.summary().keys() == {"number.txt"}


def test_t2_tasklets_are_left_out_and_arguments_changed_without_touching_the_task(client):
    options = SubmitOptions(without=["doubled", "checksum"], before=doubled.si(3))
    job = client.submit("counted", {"number": 5}, options)
    assert job.result(timeout=20) == 6
    assert [run.tasklet for run in job.tasklets()] == ["doubled", "digits_of"]
    bare = client.submit("counted", {"number": 5}, SubmitOptions(without="all"))
    assert bare.result(timeout=20) == 5
    assert bare.tasklets() == ()


def test_t2_the_functions_of_the_package_take_them_too(producer, tasklet_worker):
    job = producer.submit("sum", left=1, right=2, queue=QUEUE, after="checksum stdout.log --optional", before=())
    assert job.record().spec.after == (TaskletCall(tasklet="checksum", args=("stdout.log",), required=False),)
    job.wait(timeout=20)


def test_t2_a_function_as_a_task_has_them_as_any_other(client):
    job = client.submit(squared.s(12), options=SubmitOptions(after=digits_of.s() | total.si([1])))
    assert job.result(timeout=20) == 144
    assert told(job) == [("after", "digits_of", "succeeded"), ("after", "total", "succeeded")]


def test_t2_many_jobs_have_the_tasklets_of_their_class(client):
    jobs = client.submit_many([Counted(number=1), Counted(number=2)])
    assert [job.result(timeout=20) for job in jobs] == [2, 4]
    assert {len(job.tasklets()) for job in jobs} == {3}


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"after": "ad 1"}, UnknownTasklet, "did you mean 'add'"),
        ({"after": "add many"}, InvalidTasklet, "x='many'"),
        ({"before": "add {{ result }}"}, InvalidTasklet, "before the program there is no 'result'"),
        ({"after": "add {{ parameters.numbers }}"}, InvalidTasklet, "did you mean 'number'"),
        ({"without": "double"}, InvalidTasklet, "did you mean 'doubled'"),
    ],
)
def test_t2_what_cannot_run_is_refused_before_anything_is_recorded(client, options, error, words):
    newest = [record.id for record in client.jobs(limit=1)]
    with pytest.raises(error, match=words):
        client.submit(Counted(number=1), options=SubmitOptions(**options))
    assert [record.id for record in client.jobs(limit=1)] == newest


# In files


NIGHT = """\
task: counted
values: {step: 5}
parameters: {number: 10}
without: doubled
before:
  - doubled: ["{{ step }}"]
after:
  - add: {x: "{{ result }}", y: "{{ step }}"}
  - tasklet: total
    arguments: [["{{ previous }}", "{{ job.attempt }}"]]
"""


def test_t2_a_job_file_says_which(client, tmp_path):
    (tmp_path / "night.yaml").write_text(NIGHT)
    job = client.submit(client.load_job(tmp_path / "night.yaml"), options=SubmitOptions(after="add 7"))
    assert job.result(timeout=20) == 10
    assert [run.tasklet for run in job.tasklets()] == ["doubled", "digits_of", "checksum", "add", "total", "add"]
    texts = [part.text for run in job.tasklets() for part in run.parts if part.kind == "text"]
    assert texts == ["15", "16.0", "8"]


def test_t2_a_job_file_with_a_wrong_tasklet_enqueues_nothing(client, cli, variables, tmp_path):
    (tmp_path / "night.yaml").write_text(NIGHT.replace("add:", "adds:"))
    with pytest.raises(InvalidFile, match=r"line 8: after.0: no tasklet is called 'adds'; did you mean 'add'"):
        client.load_job(tmp_path / "night.yaml")
    done = cli("submit", "night.yaml", **variables)
    assert (done.returncode, done.stdout) == (1, "")
    assert "line 8: after.0" in done.stderr


def test_t2_a_described_program_brings_its_tasklets(start_worker, short_folder, environment):
    (short_folder / "greets.yaml").write_text(
        "executable: echo\n"
        "parameters: {word: {type: text, positional: true}}\n"
        "result: {read: stdout, as: text}\n"
        "after:\n"
        "  - grep_text: {file: ../stdout.log, pattern: '(?P<word>\\w+)'}\n"
    )
    ours = {"OUTRIDER_TASKS": "greets.yaml", "OUTRIDER_QUEUE": f"{QUEUE}-programs"}
    start_worker(**ours)
    described = outrider.Client(
        Settings(queue=ours["OUTRIDER_QUEUE"], tasks=("greets.yaml",), project=short_folder)
    ).submit("greets", {"word": "hello"})
    assert described.result(timeout=20) == "hello\n"
    (run,) = described.tasklets()
    assert run.tasklet == "grep_text", run


# On the command line


def test_t2_the_command_line_says_which_and_each_is_a_line(cli, client, variables):
    done = cli(
        *("submit", "counted", "-p", "number=4", "--watch", "--without", "checksum"),
        *("--before", "add 1", "--after", "add '{{ result }}' y=1", "--after", "breaks 'no peak' --optional"),
        **variables,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    ended = [line for line in lines if "(before)" in line or "(after)" in line]
    assert [line.partition(":")[0] for line in ended] == [
        "doubled (before) succeeded",
        "add (before) succeeded",
        "digits_of (after) succeeded",
        "add (after) succeeded",
        "breaks (after) failed",
    ]
    assert "no peak" in ended[-1]
    assert lines[-1] == "succeeded with warnings"
    job_id = lines[0]
    assert "succeeded with warnings" in cli("show", job_id, **variables).stdout
    row = next(line for line in cli("jobs", **variables).stdout.splitlines() if job_id in line)
    assert "with warnings" in row
    assert cli("result", job_id, **variables).stdout == "8\n"


def test_t2_a_job_file_is_changed_on_the_command_line(cli, client, variables, tmp_path):
    (tmp_path / "night.yaml").write_text(NIGHT)
    done = cli("submit", "night.yaml", "-p", "number=7", "--without", "total", "--after", "add 1", **variables)
    job = client.job(done.stdout.strip())
    assert [call.tasklet for call in job.record().spec.after] == ["digits_of", "checksum", "add", "add"]
    assert job.result(timeout=20) == 10, "the file's own `doubled` still runs"


def test_t2_a_repeated_job_keeps_them_but_for_what_is_changed(cli, client, variables):
    job = client.submit(Counted(number=1), options=SubmitOptions(without="checksum", after="add 1"))
    job.result(timeout=20)
    again = job.rerun(number=3)
    assert (again.record().spec.before, again.record().spec.after) == (
        job.record().spec.before,
        job.record().spec.after,
    )
    assert again.result(timeout=20) == 6
    done = cli("rerun", job.id, "--without", "add", "--without", "doubled", "--after", "add 1", **variables)
    assert [call.tasklet for call in client.job(done.stdout.strip()).record().spec.after] == ["digits_of", "add"]
    wrong = cli("rerun", job.id, "--without", "plot", **variables)
    assert "none of that name to leave out" in wrong.stderr


def test_t2_an_exported_job_brings_them_along(cli, client, variables, tmp_path):
    job = client.submit(
        Counted(number=1), options=SubmitOptions(without="checksum", after="add '{{ result }}' --when=always")
    )
    job.result(timeout=20)
    exported = client.export(job.record(), tmp_path / "out")
    assert any("doubled" in problem for problem in exported.problems), "run.sh does without it"
    again = client.submit(client.load_job(tmp_path / "out" / "job.yaml"))
    assert again.result(timeout=20) == 2
    assert (again.record().spec.before, again.record().spec.after) == (
        job.record().spec.before,
        job.record().spec.after,
    )


def test_t2_a_dry_run_says_which_would_run_and_where_each_comes_from(cli, variables, tmp_path):
    (tmp_path / "night.yaml").write_text(NIGHT)
    words = ("dry-run", "night.yaml", "--after", "add 7 --optional")
    plan = json.loads(cli(*words, "--json", **variables).stdout)["tasklets"]
    assert [(one["place"], one["tasklet"], one["from"]) for one in plan] == [
        ("after", "digits_of", "task counted"),
        ("after", "checksum", "task counted"),
        ("before", "doubled", "night.yaml line 6"),
        ("after", "add", "night.yaml line 8"),
        ("after", "total", "night.yaml line 9"),
        ("after", "add", "given"),
    ]
    text = cli(*words, **variables).stdout
    assert "add(x={{ result }}, y=5)" in text
    assert "add('7') optional" in text
    assert "night.yaml line 9" in text


def test_describe_names_the_classs_own(cli, variables):
    shown = cli("describe", "counted", **variables).stdout
    assert "doubled({{ parameters.number }})" in shown
    assert "checksum('number.txt')" in shown


def test_t1_tasklets_are_listed_with_what_they_do_and_take(cli, variables):
    shown = cli("tasklets", **variables).stdout
    assert "List the digits of a number." in shown
    assert "x, y=1" in shown
    facts = {one["name"]: one for one in json.loads(cli("tasklets", "--json", **variables).stdout)}
    assert facts["count-lines"]["time_limit_seconds"] == 30
    assert facts["plot"]["summary"].startswith("Draw curves")


def test_p9_the_schema_of_job_files_knows_the_tasklets(cli, variables):
    schema = json.loads(cli("describe", "--schema", **variables).stdout)
    assert "List the digits of a number." in json.dumps(schema["properties"]["after"])


# What is shown


def test_t6_show_has_what_each_found_and_t5_what_was_changed(cli, client, variables):
    job = client.submit(Counted(number=21))
    job.wait(timeout=20)
    text = cli("show", job.id, **variables).stdout
    assert "after 1: digits_of" in text
    assert "place  digit\n0      4\n1      2\n" in text
    assert "changed number  42" in text
    assert "42, changed by a tasklet" in text
    record = json.loads(cli("show", job.id, "--json", **variables).stdout)
    assert [run["tasklet"] for run in record["tasklets"]] == ["doubled", "digits_of", "checksum"]


def test_t10_a_job_without_tasklets_ends_with_a_readable_summary(cli, variables):
    done = cli("submit", "shell_with_output", "-p", "script=echo x > made.txt", "--watch", **variables)
    made, used, end = done.stdout.splitlines()[-3:]
    assert made.startswith("output: /")
    assert made.endswith("made.txt (2 bytes)")
    assert used.startswith("used ")
    assert end == "succeeded"
