"""A job file is read whole: its references, its parameters against their task, and each problem with its line."""

from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field

from outrider import InvalidFile, InvalidParameters, Limits, RetryPolicy, Task, load_program
from outrider.tasks import Catalogue, load_job, load_parameters


class Integrate(Task):
    """A task with all kinds of parameters."""

    name: ClassVar[str] = "integrate"

    images: list[Path]
    geometry: Path = Path("default.poni")
    run_number: str = ""
    bins: Annotated[int, Field(ge=1)] = 100
    wavelength: float = 1.0
    masks: dict[str, list[int]] = {}
    limits_: Annotated[str, Field(alias="limits")] = ""

    def run(self) -> None:
        pass


CATALOGUE = Catalogue([Integrate])

EXPERIMENT = """\
run: 0012
root: raw
bins: 500
calibration:
  geometry: calibration/{{ run }}.poni
  wavelength: 0.7
integration:
  images: ["{{ root }}/{{ run }}_1.h5", "{{ root }}/{{ run }}_2.h5"]
  bins: "{{ bins }}"
  geometry: "{{ calibration.geometry }}"
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with a set of parameters in it."""
    (tmp_path / "experiment.yaml").write_text(EXPERIMENT)
    return tmp_path


@pytest.fixture
def loaded(folder):
    """Write a job file and load it, with the catalogue if nothing else is said."""

    def load(text: str, catalogue: Any = CATALOGUE, name: str = "night.yaml"):
        (folder / name).write_text(text)
        return load_job(folder / name, catalogue)

    return load


@pytest.fixture
def problems(loaded):
    """Load a file that is wrong, and return its problems."""

    def load(text: str, catalogue: Any = CATALOGUE) -> list[str]:
        with pytest.raises(InvalidFile) as refusal:
            loaded(text, catalogue)
        return refusal.value.problems

    return load


WHOLE = """\
task: integrate
use: experiment.yaml
values: {bins: 7, run: 0034}
parameters:
  images: ["{{ root }}/{{ run }}.h5", /data/x.h5]
  geometry: "{{ calibration.geometry }}"
  run_number: "{{ run }}"
  bins: "{{ bins }}"
  wavelength: "{{ calibration.wavelength }}"
  masks: {"a b": [1, "{{ bins }}"]}
  limits: "\\\\{{ no reference }}"
limits: {run: 2h, memory: 8GiB}
retry: {exit_codes: [75], max_attempts: "{{ bins }}"}
queue: large
"""


def test_a_job_file_says_all_about_a_job(loaded, folder):
    job = loaded(WHOLE)
    assert (job.task, job.queue) == ("integrate", "large")
    assert job.limits == Limits(run="2h", memory="8GiB")
    assert job.retry == RetryPolicy(exit_codes=frozenset({75}), max_attempts=7)
    task = job.task_from(CATALOGUE)
    assert task == Integrate(
        images=[folder / "raw/0034.h5", Path("/data/x.h5")],
        geometry=folder / "calibration/0034.poni",
        run_number="0034",
        bins=7,
        wavelength=0.7,
        masks={"a b": [1, 7]},
        limits="{{ no reference }}",
    )


def test_what_a_job_file_does_not_say_is_left_to_others(loaded):
    job = loaded("task: integrate\nparameters: {images: [a]}\n")
    assert (job.limits, job.retry, job.queue) == (None, None, None)


def test_parameters_may_be_one_reference_to_a_mapping(loaded, folder):
    task = loaded('task: integrate\nuse: [experiment.yaml]\nparameters: "{{ integration }}"\n').task_from(CATALOGUE)
    assert task.images == [folder / "raw/0012_1.h5", folder / "raw/0012_2.h5"]
    assert (task.bins, task.geometry) == (500, folder / "calibration/0012.poni")


def test_p4_text_that_looks_like_a_number_stays_text_by_every_way(loaded, folder):
    for line in ("run_number: 0012", 'run_number: "{{ run }}"', 'run_number: "{{ calibration.number }}"'):
        (folder / "more.yaml").write_text("calibration: {number: 0012}\n")
        text = f"task: integrate\nuse: [experiment.yaml, more.yaml]\nparameters:\n  images: []\n  {line}\n"
        assert loaded(text).task_from(CATALOGUE).run_number == "0012"


def test_the_files_own_values_go_before_sets_and_later_sets_before_earlier_ones(loaded, folder):
    (folder / "first.yaml").write_text("a: 1\nb: 1\nc: 1\nsum: '{{ a }}{{ b }}'\n")
    (folder / "second.yaml").write_text("b: 2\nc: 2\nd: '{{ c }}{{ sum }}'\n")
    job = loaded(
        "task: integrate\nuse: [first.yaml, second.yaml]\nvalues: {c: 3}\n"
        'parameters: {images: ["{{ a }}{{ b }}{{ c }}", "{{ d }}"]}\n'
    )
    assert job.parameters["images"] == ["123", "311"]


def test_sets_are_named_from_the_folder_of_the_job_file(loaded, folder, monkeypatch):
    (folder / "shared").mkdir()
    (folder / "shared" / "set.yaml").write_text("x: found\n")
    monkeypatch.chdir("/")
    job = loaded("task: integrate\nuse: shared/set.yaml\nparameters: {images: ['{{ x }}']}\n")
    assert job.task_from(CATALOGUE).images == [folder / "found"]


def test_a_relative_default_is_named_from_the_folder_too(loaded, folder):
    assert (
        loaded("task: integrate\nparameters: {images: []}\n").task_from(CATALOGUE).geometry == folder / "default.poni"
    )


def test_changes_go_before_the_file_and_their_paths_are_not_of_its_folder(loaded, folder):
    task = loaded(WHOLE).task_from(CATALOGUE, {"geometry": "near.poni", "bins": 9})
    assert (task.geometry, task.bins, task.images[1]) == (Path("near.poni"), 9, Path("/data/x.h5"))
    assert task.images[0] == folder / "raw/0034.h5"


def test_p9_all_problems_of_a_file_are_said_at_once_with_their_lines(problems):
    assert problems(
        "task: integrate\n"
        "parameters:\n"
        "  imagse: [a]\n"
        "  bins: -3\n"
        "  run_number: 1.10\n"
        "  masks:\n"
        "    a: [1, x]\n"
        '  geometry: "{{ nowhere }}"\n'
        "limits: {rum: 2h, memory: much}\n"
        "queu: large\n"
        "befor: []\n"
    ) == [
        "line 2: parameters.images: is required",
        "line 3: parameters.imagse: there is no such key; did you mean 'images'?",
        "line 4: parameters.bins=-3: Input should be greater than or equal to 1",
        'line 5: parameters.run_number=1.1: Input should be a valid string; write it in quotes: "1.10"',
        "line 7: parameters.masks.a.1='x': Input should be a valid integer, unable to parse string as an integer",
        "line 8: parameters.geometry: {{ nowhere }}: there is no 'nowhere'; nothing is known here",
        "line 9: limits.memory='much': could not parse value and unit from byte string",
        "line 9: limits.rum: there is no such key; did you mean 'run'?",
        "line 10: queu: there is no such key; did you mean 'queue'?",
        "line 11: befor: there is no such key; did you mean 'before'?",
    ]


def test_a_reference_that_leads_nowhere_is_one_problem_also_where_a_value_is_required(problems):
    assert problems("task: integrate\nparameters:\n  images: '{{ nowhere }}'\n") == [
        "line 3: parameters.images: {{ nowhere }}: there is no 'nowhere'; nothing is known here"
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: the file is empty; it must be a job"),
        ("- task\n", "line 1: the file is a list; it must be a job"),
        ("parameters: {images: []}\n", "line 1: task: is required"),
        ("task: integrat\n", "line 1: task: no task is called 'integrat'; did you mean 'integrate'?"),
        ("\ntask: [a]\n", "line 2: task=['a']: Input should be a valid string"),
        ("task: integrate\nparameters: [1]\n", "line 2: parameters=[1]: Input should be a valid dictionary"),
        ("task: integrate\nqueue: 'a b'\n", "line 2: queue='a b': String should match"),
        ("task: integrate\nqueue: outrider:jobs\n", "line 2: queue='outrider:jobs': String should match"),
        ("task: integrate\nvalues: 3\n", "line 2: values=3: Input should be a valid dictionary"),
        ("task: integrate\nuse:\n- no.yaml\n", "line 3: use: /"),
        ("task: integrate\nuse: 3\n", "line 2: use=3: Input should be a valid list"),
        ("task: integrate\nvalues:\n  a: '{{ b }}'\n  b: 1\n", "line 3: values.a: {{ b }}: there is no 'b'"),
        ("task: integrate\nvalues:\n  a: '{{ b }}'\n  b: 1\n", "further down; move it up"),
        ("task: integrate\nvalues:\n  a:\n    x: ['{{ a.y }}']\n    y: 1\n", "line 4: values.a.x.0: {{ a.y }}"),
        ("task: integrate\nvalues: {a: '{{ b }}', b: '{{ a }}'}\n", "values.a: {{ b }}: there is no 'b'"),
        (
            "task: integrate\nparameters: '{{ x }}'\nvalues: {x: 3}\n",
            "line 2: parameters=3: Input should be a valid dict",
        ),
        (
            "task: integrate\nvalues: {x: 1.10}\nparameters: {images: [], run_number: '{{ x }}'}\n",
            "run_number=1.1: Input should be a valid string; write it in quotes where it is defined",
        ),
        ("task: !!python/name:os.system\n", "line 1: the tag"),
    ],
)
def test_p9_what_is_wrong_with_a_job_file_is_said(problems, text, words):
    assert words in "; ".join(problems(text))


def test_a_problem_in_a_set_names_the_set(loaded, folder):
    (folder / "set.yaml").write_text("a: 1\nb: '{{ c }}'\n")
    with pytest.raises(InvalidFile) as refusal:
        loaded("task: integrate\nuse: set.yaml\n")
    assert refusal.value.path == str(folder / "set.yaml")
    assert refusal.value.problems == ["line 2: b: {{ c }}: there is no 'c'; there are a"]


def test_a_set_may_use_the_names_of_those_before_it_and_of_no_later_one(loaded, folder):
    (folder / "one.yaml").write_text("a: '{{ b }}'\n")
    (folder / "two.yaml").write_text("b: 2\n")
    job = "task: integrate\nuse: [{}]\nparameters: {{images: ['{{{{ a }}}}x']}}\n"
    assert loaded(job.format("two.yaml, one.yaml")).parameters["images"] == ["2x"]
    with pytest.raises(InvalidFile, match=r"one\.yaml: line 1: a: \{\{ b \}\}"):
        loaded(job.format("one.yaml, two.yaml"))


def test_laughs_across_sets_are_refused(problems, folder):
    for n in range(30):
        lines = "".join(f"a{n}_{i + 1}: ['{{{{ a{n}_{i} }}}}', '{{{{ a{n}_{i} }}}}']\n" for i in range(14))
        (folder / f"{n}.yaml").write_text(f"a{n}_0: [x]\n{lines}")
    use = ", ".join(f"{n}.yaml" for n in range(30))
    assert "too many values" in problems(f"task: integrate\nuse: [{use}]\n")[0]


def test_without_a_catalogue_the_task_is_not_looked_at(loaded):
    job = loaded("task: unheard\nparameters: {bins: x}\n", None)
    with pytest.raises(InvalidFile, match="line 1: task: no task is called 'unheard'"):
        job.task_from(CATALOGUE)


def test_wrong_changes_are_no_problem_of_the_file(loaded):
    job = loaded(WHOLE)
    with pytest.raises(InvalidParameters, match="bins=-1: Input should be greater"):
        job.task_from(CATALOGUE, {"bins": -1})


def test_where_a_value_comes_from_is_known(loaded):
    job = loaded(WHOLE)
    assert job.origin("bins") == "night.yaml line 8"
    assert job.origin("nothing") == ""


def test_p9_a_file_of_parameters_is_checked_with_its_lines(folder):
    (folder / "p.yaml").write_text("images: [a]\nrun_number: 0012\nbins: 3\n")
    task = load_parameters("integrate", folder / "p.yaml").task_from(CATALOGUE)
    assert (task.images, task.run_number, task.bins) == ([folder / "a"], "0012", 3)
    (folder / "p.yaml").write_text("images: [a]\nbinz: 3\n")
    with pytest.raises(InvalidFile, match="line 2: binz: there is no such key; did you mean 'bins'"):
        load_parameters("integrate", folder / "p.yaml").task_from(CATALOGUE)
    (folder / "p.yaml").write_text("images: ['{{ a }}']\n")
    with pytest.raises(InvalidFile, match=r"line 1: images\.0: \{\{ a \}\}"):
        load_parameters("integrate", folder / "p.yaml")


def test_a_program_that_is_described_in_a_file_takes_job_files(loaded, folder):
    (folder / "say.yaml").write_text("executable: echo\nparameters: {word: {type: text, positional: true}}\n")
    catalogue = Catalogue([load_program(folder / "say.yaml")])
    job = loaded("task: say\nparameters: {word: 0012}\n", catalogue)
    assert job.task_from(catalogue).argv() == ("echo", "0012")
