"""A program described in a YAML file is the task that a class would be."""

import json
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pytest
from attempts import Attempt
from pydantic import BaseModel, Field

from outrider import (
    FileGrowth,
    Flag,
    InvalidFile,
    InvalidParameters,
    JsonProgress,
    Limits,
    NotAnArgument,
    Output,
    PassThrough,
    Positional,
    RetryPolicy,
    Stdin,
    Stdout,
    ThirdPartyTask,
    load_program,
)
from outrider.config.errors import CatalogueError
from outrider.tasks import load_catalogue
from outrider.tasks.programs import program_class

WHOLE = """\
name: sort_all
description: |
  Sort the words of a file.
  In many ways.
version: 3
executable: sort
subcommand: [-s]
version_arguments: [--version]
parameters:
  reverse: {type: bool, flag: -r, negative: --no-reverse, default: false, description: the last first}
  key: {type: int, flag: -k, optional: true, minimum: 1, maximum: 9}
  temporary_folder: {type: text, flag: true, joined: "=", default: "0012"}
  mode: {type: choice, choices: [general, 0012], flag: --sort, joined: "=", default: general}
  excluded: {type: [text], flag: -x, repeat: true, default: []}
  scales: {type: [float], flag: -s, separator: ",", default: [1, 2.5]}
  words: {type: [path], positional: true}
  list: {type: path, stdin: true, optional: true}
  sorted: {type: path, stdout: true, default: sorted.txt}
  index: {type: path, output: {optional: true, allow_empty: true}, flag: -i, default: index.txt}
  report: {type: path, output: true, default: report.json}
  name: {type: text, argument: false, pattern: "^[a-z]*$", default: x}
  rest: {type: [text], pass_through: true, default: []}
progress: '(?P<percent>\\d+)%'
buffering: line
environment: {OMP_NUM_THREADS: "1"}
limits: {run: 1h, memory: 2GiB}
retry: {exit_codes: [75]}
exclusive: true
result: {read: report, as: json}
"""


class SortAll(ThirdPartyTask):
    """The same in Python."""

    executable: ClassVar[str] = "sort"
    subcommand: ClassVar[tuple[str, ...]] = ("-s",)

    reverse: Annotated[bool, Flag("-r", negative="--no-reverse")] = False
    key: Annotated[Annotated[int, Field(ge=1, le=9)] | None, Flag("-k")] = None
    temporary_folder: Annotated[str, Flag("--temporary-folder", joined="=")] = "0012"
    mode: Annotated[Literal["general", "0012"], Flag("--sort", joined="=")] = "general"
    excluded: Annotated[list[str], Flag("-x", repeat=True)] = []
    scales: Annotated[list[float], Flag("-s", separator=",")] = [1, 2.5]
    words: Annotated[list[Path], Positional()]
    list_: Annotated[Path | None, Stdin(), Field(alias="list")] = None
    sorted: Annotated[Path, Stdout()] = Path("sorted.txt")
    index: Annotated[Path, Output(optional=True, allow_empty=True), Flag("-i")] = Path("index.txt")
    report: Annotated[Path, Output()] = Path("report.json")
    parameter_name: Annotated[str, NotAnArgument(), Field(alias="name")] = "x"
    rest: Annotated[list[str], PassThrough()] = []


@pytest.fixture
def described(tmp_path):
    """Write a description and load it."""

    def load(text: str, name: str = "sort_words.yaml"):
        (tmp_path / name).write_text(text)
        return load_program(tmp_path / name)

    return load


@pytest.fixture
def problems(described):
    def load(text: str) -> list[str]:
        with pytest.raises(InvalidFile) as refusal:
            described(text)
        return refusal.value.problems

    return load


def test_p1_a_file_says_all_that_a_class_says(described):
    task = described(WHOLE.replace("version: 3", 'version: "3"'))
    assert (task.name, task.version, task.exclusive, task.buffering) == ("sort_all", "3", True, "line")
    assert (task.executable, task.subcommand, task.version_arguments) == ("sort", ("-s",), ("--version",))
    assert (task.limits, task.retry) == (Limits(run="1h", memory="2GiB"), RetryPolicy(exit_codes=frozenset({75})))
    assert task.__doc__.startswith("Sort the words of a file.\n")
    theirs = {field.parameter: field for field in SortAll.task_fields()}
    for ours in task.task_fields():
        assert (ours.place, ours.output, ours.is_path, ours.is_list) == (
            theirs[ours.parameter].place,
            theirs[ours.parameter].output,
            theirs[ours.parameter].is_path,
            theirs[ours.parameter].is_list,
        )
    given = {
        "words": ["a b", "-c"],
        "key": 2,
        "excluded": ["0012", ""],
        "rest": ["--x"],
        "mode": "0012",
        "reverse": True,
    }
    assert task.from_parameters(given).argv() == SortAll.from_parameters(given).argv()
    assert task.from_parameters(given).parameters() == SortAll.from_parameters(given).parameters()
    ours, theirs = task.model_json_schema()["properties"], SortAll.model_json_schema()["properties"]
    assert {name: (part.get("type"), part.get("default")) for name, part in ours.items()} == {
        name: (part.get("type"), part.get("default")) for name, part in theirs.items()
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"words": []} | {"key": 0}, "key=0: Input should be greater than or equal to 1"),
        ({"words": [], "mode": "numeric"}, "mode='numeric': Input should be 'general' or '0012'"),
        ({"words": [], "name": "X"}, "name='X': String should match pattern"),
        ({"words": [], "words_": []}, "words_: there is no such field"),
        ({}, "words: is required"),
    ],
)
def test_its_parameters_are_checked(described, given, words):
    task = described(WHOLE.replace("version: 3\n", ""))
    with pytest.raises(InvalidParameters) as refusal:
        task.from_parameters(given)
    assert words in str(refusal.value)


def test_the_least_description_is_one_line(described):
    task = described("executable: date\n", "what-time.yml")
    assert (task.name, task().argv()) == ("what_time", ("date",))


def test_a_program_beside_the_file_is_found_from_anywhere(described, tmp_path):
    assert described("executable: ./bin/tool\n").executable == str(tmp_path / "bin/tool")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"progress: 'at (?P<done>\d+)'", r"at (?P<done>\d+)"),
        ("progress: {json: {done: at.frame, total: 12, unit: frames}}", JsonProgress("at.frame", 12, "frames")),
        ("progress: {json: {done: at, total: all}}", JsonProgress("at", "all")),
        ("progress: {growth: {output: o, expected: 20 MiB}}", FileGrowth("o", "20 MiB")),
    ],
)
def test_progress_is_described_in_each_way(described, text, expected):
    task = described(f"executable: x\nparameters: {{o: {{type: path, output: true, default: o}}}}\n{text}\n")
    assert task.progress == expected


def test_growth_may_be_of_an_output_whose_field_has_another_name(described):
    text = "executable: x\nparameters: {name: {type: path, output: true, default: o}}\nprogress: {growth: {output: name}}\n"
    assert described(text).progress.field == "parameter_name"


def test_templates_are_files_beside_the_description(described, tmp_path):
    (tmp_path / "sort.cfg.j2").write_text("keys = {{ key }}\n")
    text = "executable: sort\nparameters: {key: {type: int, argument: false, default: 1}}\n"
    task = described(f"{text}templates: {{sort.cfg: sort.cfg.j2}}\n")
    assert task.templates == {"sort.cfg": tmp_path / "sort.cfg.j2"}


def test_variables_are_text(described, problems):
    assert described("executable: x\nenvironment: {A: 0012, B: ''}\n").environment.set == {"A": "0012", "B": ""}
    assert problems("executable: x\nenvironment:\n  A: 1\n") == [
        'line 3: environment.A=1: Input should be a valid string; write it in quotes: "1"'
    ]


def test_an_environment_may_be_a_model_where_a_class_may_have_one(described, monkeypatch):
    class Variables(BaseModel):
        set: dict[str, str] = {}
        unset: list[str] = []

    class Wider:
        environment: ClassVar[Variables | dict[str, str]] = {}

    monkeypatch.setattr(program_class, "TaskDescription", Wider)
    members = {}
    monkeypatch.setattr(program_class.types, "new_class", lambda *_, exec_body: exec_body(members))
    for text, expected in (
        ("{set: {A: 0012}, unset: [B]}", Variables(set={"A": "0012"}, unset=["B"])),
        ("{A: b, set: c}", {"A": "b", "set": "c"}),
    ):
        described(f"executable: x\nenvironment: {text}\n")
        assert members["environment"] == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: the file is empty; it must be a program's description"),
        ("name: x\n", "line 1: executable: is required"),
        ("executable: x\nprogres: a\n", "line 2: progres: there is no such key; did you mean 'progress'?"),
        ("executable: x\nname: Sort Words\n", "line 2: name='Sort Words': String should match pattern"),
        ("executable: x\nbuffering: block\n", "line 2: buffering='block': Input should be 'program', 'line' or"),
        ("executable: x\nlimits:\n  run: soon\n", "line 3: limits.run='soon'"),
        (
            "executable: x\nsubcommand: [1]\n",
            'line 2: subcommand.0=1: Input should be a valid string; write it in quotes: "1"',
        ),
        ("executable: x\nversion: 1.10\n", 'write it in quotes: "1.10"'),
        ("executable: x\nprogress: '('\n", "line 2: progress '(' is no regular expression"),
        ("executable: x\nprogress: {}\n", "line 2: progress: write a regular expression, or one of json and growth"),
        ("executable: x\nprogress: {growth: {output: o}}\n", "line 2: progress FileGrowth(field='o'"),
        (
            "executable: x\nprogress: {json: {done: a, totl: b}}\n",
            "progress.json.totl: there is no such key; did you mean",
        ),
        ("executable: x\ntemplates:\n  a: b.j2\n", "line 3: templates.a: there is no file"),
        ("executable: x\nresult: {read: out}\n", "line 2: result.read: 'out' is no output; there are stdout, stderr"),
        (
            "executable: x\nresult: {read: stdout, as: yaml}\n",
            "result.as='yaml': Input should be 'text', 'json' or 'number'",
        ),
        ("executable: x\nresult: {read: stdout, pattern: a}\n", "result.pattern='a': needs one group"),
        ("executable: x\nresult: {read: stdout, pattern: '('}\n", "is no regular expression"),
    ],
)
def test_p9_what_is_wrong_with_a_description_is_said_with_its_line(problems, text, words):
    assert words in "; ".join(problems(text))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{type: text}", "p: say where the value goes by one of flag, positional"),
        ("{type: text, flag: -p, positional: true}", "p: say where the value goes by one of"),
        ("{type: number, flag: -p}", "p.type='number': write one of bool, int, float, text, path, choice"),
        ("{type: [int, int], flag: -p}", "write one of"),
        ("{type: {a: b}, flag: -p}", "write one of"),
        ("{flag: -p}", "p.type: is required"),
        ("{type: text, flag: -p, defualt: x}", "p.defualt: there is no such key; did you mean 'default'?"),
        ("{type: int, flag: -p, default: x}", "p.default='x': Input should be a valid integer"),
        ("{type: int, flag: -p, default: 0, minimum: 1}", "p.default=0: Input should be greater"),
        (
            "{type: text, flag: -p, default: 1.10}",
            'p.default=1.1: Input should be a valid string; write it in quotes: "1.10"',
        ),
        ("{type: [int], flag: -p, default: [1, x]}", "p.default.1='x': Input should be a valid integer"),
        ("{type: choice, flag: -p}", "p: a choice needs choices"),
        ("{type: choice, choices: [1], flag: -p}", "p.choices.0=1: Input should be a valid string; write it in quotes"),
        ("{type: choice, choices: [a], default: b, flag: -p}", "p.default='b': Input should be 'a'"),
        ("{type: text, choices: [a], flag: -p}", "p: a choice needs choices, and nothing else"),
        ("{type: text, minimum: 1, flag: -p}", "p: minimum and maximum are for int and float"),
        ("{type: int, pattern: a, flag: -p}", "p: pattern is for text"),
        ("{type: text, pattern: '(', flag: -p}", "p.pattern='(': is no regular expression"),
        ("{type: int, positional: true, joined: '='}", "p: joined, negative, separator and repeat are for a flag"),
        ("{type: int, flag: -p, repeat: true}", "p: repeat and separator are for lists"),
        ("{type: int, flag: -p, negative: -n}", "p: negative is for bool"),
        ("{type: text, output: true}", "must be a Path"),
        (
            "{type: path, output: true, default: ../up}",
            "name an output from the root, or relative to the job's directory",
        ),
        ("{type: path, output: {optinal: true}}", "p.output.optinal: there is no such key; did you mean 'optional'?"),
        ("{type: path, output: maybe}", "p.output="),
    ],
)
def test_p9_a_wrong_parameter_is_named_with_its_line(problems, entry, words):
    found = problems(f"executable: x\nparameters:\n  q: {{type: int, flag: -q}}\n  p: {entry}\n")
    assert [problem for problem in found if problem.startswith("line 4: ") and words in problem], found


def test_a_parameters_name_is_a_word(problems):
    assert (
        "line 3: parameters.max-iter" in problems("executable: x\nparameters:\n  max-iter: {type: int, flag: -m}\n")[0]
    )


def test_what_only_the_whole_shows_is_said_too(problems):
    two = "executable: x\nparameters:\n  a: {type: path, stdin: true}\n  b: {type: path, stdin: true}\n"
    assert problems(two) == ["line 2: a and b cannot both be stdin"]
    taken = "executable: x\nparameters: {o: {type: path, stdout: true, default: o}}\n"
    assert "line 3: result.read: standard output goes to 'o'" in problems(f"{taken}result: {{read: stdout}}\n")[0]
    assert "is no terminal" in problems(f"{taken}buffering: terminal\n")[0]


def test_a_file_whose_name_is_no_task_name_needs_a_name(described):
    with pytest.raises(InvalidFile, match="line 1: '1st' cannot be a task's name"):
        described("executable: x\n", "1st.yaml")
    assert described("executable: x\nname: first\n", "1st.yaml").name == "first"


NAMES = [
    "name",
    "limits",
    "version",
    "result",
    "templates",
    "environment",
    "executable",
    "model_config",
    "model_validate_x",
    "_private",
    "json",
    "copy",
    "argv",
    "from",
    "described_in",
    "register",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_parameter_may_have_any_name(described, name):
    task = described(f"executable: x\nparameters: {{{name}: {{type: text, flag: true}}}}\n")
    made = task.from_parameters({name: "v"})
    assert made.argv() == ("x", f"--{name.replace('_', '-')}", "v")
    assert made.parameters() == {name: "v"}


@pytest.mark.parametrize(
    ("result", "script", "expected"),
    [
        ("{read: stdout}", "echo 0012", "0012\n"),
        ("{read: stderr, as: text}", "echo why >&2", "why\n"),
        ("{read: stdout, as: number}", "echo ' 12 '", 12),
        ("{read: stdout, as: number}", "echo 1.5e3", 1500.0),
        ("{read: stdout, as: json}", "echo '{\"a\": [1, null]}'", {"a": [1, None]}),
        ("{read: made, as: json}", "echo 3 > made.txt", 3),
        ("{read: made}", "true", None),
        ("{read: stdout, as: number, pattern: 'total (\\d+)'}", "echo 'a 1 total 12'", 12),
    ],
)
def test_a_result_is_read_as_the_file_says(described, tmp_path, result, script, expected):
    task = described(
        "executable: sh\nparameters:\n  script: {type: text, flag: -c}\n"
        f"  made: {{type: path, output: {{optional: true}}, default: made.txt}}\nresult: {result}\n"
    )
    outcome = Attempt(tmp_path, task(script=script)).run()
    assert (outcome.error, outcome.result) == ("", expected)
    assert type(outcome.result) is type(expected)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ("{read: stdout, as: number}", "stdout is no number: 'many'"),
        ("{read: stdout, as: json}", "JSONDecodeError"),
        ("{read: stdout, pattern: 'total (.*)'}", "stdout has nothing that fits 'total (.*)'"),
    ],
)
def test_a_result_that_is_not_what_the_file_says_is_a_failure(described, tmp_path, result, words):
    task = described(f"executable: echo\nparameters: {{word: {{type: text, positional: true}}}}\nresult: {result}\n")
    outcome = Attempt(tmp_path, task(word="many")).run()
    assert outcome.reason == "result"
    assert words in outcome.error


def test_without_a_result_it_is_the_programs_run(described, tmp_path):
    task = described("executable: echo\n")
    assert set(Attempt(tmp_path, task()).run().result) >= {"directory", "exit_code", "outputs"}


def test_the_catalogue_has_described_programs_by_file_and_folder(tmp_path):
    (tmp_path / "programs").mkdir()
    for name in ("one.yaml", "programs/two.yml", "programs/.hidden.yaml", "programs/notes.txt"):
        (tmp_path / name).write_text("executable: x\n")
    ours = set(load_catalogue(["one.yaml", "programs/", str(tmp_path / "one.yaml")], tmp_path)) - set(
        load_catalogue([])
    )
    assert ours == {"one", "two"}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("missing.yaml", r"missing\.yaml: there is no such file"),
        ("bad.yaml", r"bad\.yaml: line 1: executable: is required"),
        ("missing/", "neither a folder nor a file"),
        ("./bad.txt", "neither a folder nor a file"),
    ],
)
def test_a_description_that_cannot_be_used_is_an_error_of_the_catalogue(tmp_path, entry, words):
    (tmp_path / "bad.yaml").write_text("name: x\n")
    (tmp_path / "bad.txt").write_text("executable: x\n")
    with pytest.raises(CatalogueError, match=words):
        load_catalogue([entry], tmp_path)


def test_two_descriptions_of_one_name_are_an_error_naming_both_files(tmp_path):
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).write_text("executable: x\nname: same\n")
    with pytest.raises(CatalogueError, match=r"'same': .*one\.yaml and .*two\.yaml"):
        load_catalogue(["./"], tmp_path)


def test_a_described_task_survives_json(described):
    task = described(WHOLE.replace("version: 3\n", ""))
    made = task.from_parameters({"words": ["a"], "name": "abc"})
    assert task.from_parameters(json.loads(json.dumps(made.parameters()))) == made


def test_results_have_types_everywhere(described):
    text = "executable: x\nresult: {read: stdout, as: number}\n"
    with pytest.raises(ValueError, match="valid"):
        described(text).result_adapter().validate_python("text")
    assert described(text.replace("number", "json")).result_adapter().validate_python({"a": 1}) == {"a": 1}
