"""Jobs and programs as YAML files, from the command line and from Python to a real worker."""

import json
import shutil
from pathlib import Path

import pytest

import outrider

EXAMPLES = Path(outrider.__file__).parent / "examples"
QUEUE = "files"

COUNT = """\
name: count_letters
executable: wc
parameters:
  run: {type: text, argument: false, default: ""}
  letters: {type: bool, flag: -c, default: true}
  source: {type: path, stdin: true}
result: {read: stdout, as: number}
"""


@pytest.fixture(scope="module")
def folder(short_folder):
    """A folder with descriptions and examples in it; the project's, so that they are named from there."""
    folder = short_folder / "programs"
    shutil.copytree(EXAMPLES, folder / "examples")
    (folder / "count.yaml").write_text(COUNT)
    return folder


@pytest.fixture(scope="module")
def variables(folder):
    """Variables of producers and of the worker that know the files."""
    return {
        "OUTRIDER_TASKS": "little_tasks,programs/count.yaml,programs/examples/sort_words.yaml",
        "OUTRIDER_QUEUE": QUEUE,
    }


@pytest.fixture(scope="module")
def files_worker(start_worker, variables):
    return start_worker(**variables)


@pytest.fixture
def client(files_worker, environment, variables):
    return outrider.Client(outrider.Settings(queue=QUEUE, tasks=tuple(variables["OUTRIDER_TASKS"].split(","))))


def test_p1_the_examples_run_as_written(cli, files_worker, variables, folder):
    done = cli("submit", str(folder / "examples/sort_readme.yaml"), "--watch", **variables)
    assert done.stdout.splitlines()[-1] == "succeeded", done.stdout + done.stderr
    job_id = done.stdout.splitlines()[0]
    lines = set((EXAMPLES / "README.md").read_text().splitlines(keepends=True))
    assert json.loads(cli("result", job_id, **variables).stdout) == "".join(sorted(lines, reverse=True))
    record = json.loads(cli("show", job_id, "--json", **variables).stdout)
    assert record["spec"]["parameters"]["sorted"] == "run_0012_sorted.txt"
    assert record["spec"]["limits"]["memory"] == 2**30
    assert record["spec"]["parameters"]["words"] == [str(folder / "examples/README.md")]


def test_p4_0012_arrives_as_text_by_every_way(cli, client, files_worker, variables, tmp_path):
    (tmp_path / "in").write_text("abc")
    (tmp_path / "set.yaml").write_text("run: 0012\n")
    (tmp_path / "plain.yaml").write_text("task: count_letters\nparameters: {source: in, run: 0012}\n")
    (tmp_path / "by_set.yml").write_text(
        "task: count_letters\nuse: set.yaml\nparameters: {source: in, run: '{{ run }}'}\n"
    )
    (tmp_path / "other.yaml").write_text("task: count_letters\nparameters: {source: in, run: x}\n")
    (tmp_path / "parameters.yaml").write_text("source: in\nrun: 0012\n")
    ways = [
        ("plain.yaml",),
        ("by_set.yml",),
        ("other.yaml", "-p", "run=0012"),
        ("count_letters", "-p", "run=0012", "-p", "source=in"),
        ("count_letters", "--parameters", "parameters.yaml"),
    ]
    for words in ways:
        done = cli("submit", *words, **variables)
        job = client.job(done.stdout.strip())
        assert job.result(timeout=20) == 3
        assert job.record().spec.parameters == {"run": "0012", "letters": True, "source": str(tmp_path / "in")}


def test_a_job_file_is_submitted_from_python(client, tmp_path):
    (tmp_path / "in").write_text("abcd")
    (tmp_path / "near").mkdir()
    (tmp_path / "near" / "job.yaml").write_text(
        "task: count_letters\nparameters: {source: ../in}\nlimits: {run: 1m}\nretry: {max_attempts: 2}\n"
    )
    job = client.submit(client.load_job(tmp_path / "near" / "job.yaml"))
    assert job.result(timeout=20) == 4
    spec = job.record().spec
    assert (spec.limits.run.total_seconds(), spec.retry.max_attempts, spec.queue) == (60, 2, QUEUE)


def test_changes_and_options_go_before_the_file(client, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").write_text("12345")
    (tmp_path / "near").mkdir()
    (tmp_path / "near" / "job.yaml").write_text("task: count_letters\nparameters: {source: in}\nqueue: nobody\n")
    described = client.load_job("near/job.yaml")
    waiting = client.submit(described, {"source": "here"})
    assert waiting.record().spec.queue == "nobody"
    assert waiting.status() == "queued"
    waiting.cancel()
    limits = outrider.Limits(run="5m")
    job = client.submit(described, {"source": "here"}, outrider.client.SubmitOptions(queue=QUEUE, limits=limits))
    assert job.result(timeout=20) == 5
    assert job.record().spec.limits == limits


def test_a_queue_is_chosen_on_the_command_line_and_in_python(cli, producer, files_worker, variables):
    done = cli("submit", "sum", "-p", "left=1", "-p", "right=2", "--queue", QUEUE, "--watch")
    assert done.stdout.splitlines()[-1] == "succeeded"
    assert producer.submit("sum", left=20, right=22, queue=QUEUE).result(timeout=20) == 42


def test_p9_a_wrong_job_file_enqueues_nothing_and_names_its_lines(cli, producer, variables, tmp_path):
    before = [record.id for record in producer.jobs(limit=1)]
    (tmp_path / "bad.yaml").write_text("task: count_letters\nparameters:\n  sauce: in\nlimit: {run: 1h}\n")
    done = cli("submit", "bad.yaml", **variables)
    assert done.returncode == 1
    for words in (
        "line 3: parameters.sauce",
        "did you mean 'source'",
        "line 2: parameters.source: is required",
        "line 4: limit",
    ):
        assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [record.id for record in producer.jobs(limit=1)] == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("submit", "missing.yaml"), "missing.yaml: there is no such file"),
        (("submit", "hostile"), "hostile: line 1: the tag"),
        (("submit", "count_letter"), "did you mean 'count_letters'"),
        (("submit", "count_letters", "-f", "missing"), "missing: there is no such file"),
        (("submit", "bad.yaml", "-p", "nothing=1"), "line 1: task: no task is called 'x'"),
        (("describe",), "name a task"),
        (("submit", "hostile", "-f", "hostile"), "is a job file and has its own parameters"),
    ],
)
def test_errors_with_files_are_sentences(cli, variables, tmp_path, words, sentence):
    (tmp_path / "hostile").write_text("!!python/object/apply:os.system [id]\n")
    (tmp_path / "bad.yaml").write_text("task: x\n")
    done = cli(*words, **variables)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_p8_a_dry_run_of_a_job_file_says_where_each_value_comes_from(cli, variables, folder):
    words = ("dry-run", str(folder / "examples/sort_readme.yaml"), "-p", "key=2")
    plan = json.loads(cli(*words, "--json", **variables).stdout)
    origins = {name: parameter["from"] for name, parameter in plan["parameters"].items()}
    assert origins == {
        "reverse": "sort_readme.yaml line 7",
        "unique": "sort_readme.yaml line 8",
        "key": "given",
        "order": "default",
        "words": "sort_readme.yaml line 6",
        "sorted": "sort_readme.yaml line 9",
    }
    assert plan["argv"][1:] == ["-r", "-u", "-k", "2", str(folder / "examples/README.md")]
    assert "sort_readme.yaml line 7" in cli(*words, **variables).stdout


def test_p9_schemas_are_printed_for_tasks_jobs_and_programs(cli, variables):
    task = json.loads(cli("describe", "count_letters", "--schema", **variables).stdout)
    assert task["required"] == ["source"]
    assert json.loads(cli("describe", "--schema", "count_letters", **variables).stdout) == task
    job = json.loads(cli("describe", "--schema", **variables).stdout)
    assert {"count_letters", "sort_words", "sum"} <= set(job["properties"]["task"]["enum"])
    assert "executable" in json.loads(cli("describe", "--program-schema", **variables).stdout)["required"]


def test_describe_tells_choices_and_defaults_plainly(cli, variables):
    shown = cli("describe", "sort_words", **variables).stdout
    assert "general-numeric | human-numeric | version" in shown
    assert "PosixPath" not in shown
    assert "Sort the lines of text files." in shown


def test_a_broken_description_is_said_before_anything_starts(cli, variables, folder):
    (folder / "broken.yaml").write_text("executable: x\nparameters:\n  a: {type: text}\n")
    for words in (("tasks",), ("up", "--tasks", "programs/broken.yaml")):
        done = cli(*words, **(variables | {"OUTRIDER_TASKS": "programs/broken.yaml"}))
        assert done.returncode == 1
        assert "broken.yaml: line 3: parameters.a: say where the value goes" in done.stderr
