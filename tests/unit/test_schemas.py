"""The JSON Schemas that editors complete YAML by say what we take, and refuse what we refuse."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import jsonschema
import pytest
from own_tasklets import add, count_lines, total
from pydantic import BaseModel, Field

import outrider
from outrider import InvalidFile, Task, load_program
from outrider.tasklets import Tasklets
from outrider.tasks import Catalogue, job_schema, load_catalogue, load_job, program_schema, task_schema
from outrider.tasks.files import read_document

EXAMPLES = Path(outrider.__file__).parent / "examples"


class Inner(BaseModel):
    size: int
    corner: tuple[int, int] = (0, 0)


class Measure(Task):
    name: ClassVar[str] = "measure"

    images: list[Path]
    unit: Literal["nm", "mm"] = "nm"
    bins: Annotated[int, Field(ge=1)] = 10
    regions: dict[str, Inner] = {}

    def run(self) -> None: ...


class Simple(Task):
    name: ClassVar[str] = "simple"

    inner: Inner = Inner(size=1)

    def run(self) -> None: ...


class Thing:
    pass


class Strange(Task):
    model_config = {"arbitrary_types_allowed": True}
    name: ClassVar[str] = "strange"

    thing: Thing

    def run(self) -> None: ...


CATALOGUE = Catalogue([Measure, Simple, Strange])
TASKLETS = Tasklets([add, count_lines, total])


def refusals(schema: dict[str, Any], value: Any) -> list[str]:
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return [error.message for error in kind(schema).iter_errors(value)]


GOOD = [
    "task: measure\nparameters: {images: [a.h5]}\n",
    "task: measure\nparameters: {images: ['{{ a }}'], unit: '{{ u }}', bins: '{{ b }}'}\nvalues: {a: x, u: mm, b: 3}\n",
    "task: measure\nparameters: '{{ all }}'\nvalues: {all: {images: []}}\n",
    "task: measure\nparameters: {images: [], regions: {a: {size: '{{ s }}', corner: [1, '{{ s }}']}}}\nvalues: {s: 3}\n",
    "task: measure\nparameters: {images: [], regions: '{{ r }}'}\nvalues: {r: {}}\n",
    "task: measure\nparameters: {images: [], regions: {a: '{{ r }}'}}\nvalues: {r: {size: 1}}\n",
    "task: simple\n",
    "task: simple\nlimits: {run: 2h, no_output: 90, memory: 8GiB}\nretry: {exit_codes: [75], backoff: 10s}\nqueue: large\n",
    "task: simple\nlimits: {run: '{{ r }}'}\nretry: '{{ t }}'\nqueue: '{{ q }}'\nvalues: {r: 1h, t: {}, q: large}\n",
    "task: simple\nuse: []\n",
    "task: simple\nbefore: []\nafter: [add: [1]]\nwithout: all\n",
    "task: simple\nbefore: [add: {x: 1, y: '{{ v }}'}, add: 3, add: [1]]\nwithout: [all]\nvalues: {v: 4}\n",
    "task: simple\nafter: ['add y=2 --when=always', add, total: , {tasklet: count-lines, arguments: log}]\n",
    "task: simple\nafter: '{{ usual }}'\nvalues: {usual: [add: [1]]}\n",
    "task: simple\nafter:\n- {tasklet: add, args: [1], kwargs: {y: 2}, partial: false, when: always, required: false}\n",
    "task: simple\nafter: [{tasklet: add, time_limit: 5, queue: '{{ q }}'}]\nvalues: {q: web}\n",
    "task: simple\nafter: [total: {values: [1], others: 2, anything: 3}]\n",
]
BAD = [
    "task: measur\n",
    "parameters: {}\n",
    "task: measure\n",
    "task: measure\nparameters: {}\n",
    "task: measure\nparameters: {images: [], bins: 0}\n",
    "task: measure\nparameters: {images: [], bins: many}\n",
    "task: measure\nparameters: {images: [], unit: km}\n",
    "task: measure\nparameters: {images: [], bin: 1}\n",
    "task: measure\nparameters: {images: [], regions: {a: {size: x}}}\n",
    "task: measure\nparameters: {images: [], regions: {a: {size: 1, corner: [1]}}}\n",
    "task: simple\nparameters: {images: []}\n",
    "task: simple\nlimits: {run: soon}\n",
    "task: simple\nlimits: {rum: 1h}\n",
    "task: simple\nlimits: {memory: much}\n",
    "task: simple\nqueue: a b\n",
    "task: simple\nuse: 3\n",
    "task: simple\nbefore: 3\n",
    "task: simple\nbefore: {add: [1]}\n",
    "task: simple\nwithout: 3\n",
    "task: simple\nafter: [ad: [1]]\n",
    "task: simple\nafter: [add: {z: 1}]\n",
    "task: simple\nafter: [{add: [1], total: [1]}]\n",
    "task: simple\nafter: [3]\n",
    "task: simple\nafter: [{tasklet: ad}]\n",
    "task: simple\nafter: [{tasklet: add, when: soon}]\n",
    "task: simple\nafter: [{tasklet: add, wen: always}]\n",
    "task: simple\nafter: [{tasklet: add, required: [1]}]\n",
    "task: simple\nafter: [{tasklet: add, queue: ''}]\n",
    "task: simple\nvalues: []\n",
]


@pytest.mark.parametrize(("text", "is_good"), [*((text, True) for text in GOOD), *((text, False) for text in BAD)])
def test_p9_the_schema_of_job_files_and_we_agree(tmp_path, text, is_good):
    path = tmp_path / "job.yaml"
    path.write_text(text)
    messages = refusals(job_schema(CATALOGUE, TASKLETS), read_document(path).value)
    assert (messages == []) is is_good, messages
    if is_good:
        load_job(path, CATALOGUE, TASKLETS)
    else:
        with pytest.raises(InvalidFile):
            load_job(path, CATALOGUE, TASKLETS)


def test_without_knowing_the_tasklets_any_name_will_do():
    schema = job_schema(CATALOGUE)
    assert (
        refusals(schema, {"task": "simple", "after": [{"whatever": {"a": 1}}, "whatever a=1", {"tasklet": "any"}]})
        == []
    )
    assert refusals(schema, {"task": "simple", "after": [{"two words": None}]})
    assert refusals(schema, {"task": "simple", "after": [{"tasklet": "any", "option": 1}]})


def test_the_schema_says_what_a_tasklet_does():
    by_name = job_schema(CATALOGUE, TASKLETS)["properties"]["after"]["anyOf"][0]["items"]["anyOf"]
    assert "Add two numbers." in str(by_name)


def test_p9_a_tasks_schema_is_that_of_its_parameters():
    schema = task_schema(Measure)
    assert refusals(schema, {"images": ["a"], "regions": {"a": {"size": 1, "corner": [1, 2]}}}) == []
    assert refusals(schema, {"images": ["a"], "regions": {"a": {"size": 1, "corner": [1]}}})
    assert refusals(schema, {"images": "a"})
    assert refusals(schema, {})


def test_a_parameter_of_any_python_type_spoils_no_schema():
    assert task_schema(Strange)["type"] == "object"
    assert refusals(job_schema(CATALOGUE), {"task": "strange", "parameters": {"thing": 1}}) == []


def test_the_whole_library_has_a_schema():
    assert refusals(job_schema(load_catalogue([])), {"task": "convert_cif", "parameters": {"structure": "a.cif"}}) == []


PROGRAMS = [
    ("executable: sort\n", True),
    ("executable: x\nparameters: {a: {type: [path], flag: true, separator: ','}}\nprogress: '(?P<percent>x)'\n", True),
    (
        "executable: x\nprogress: {json: {done: a, total: 3}}\nlimits: {run: 2h}\nresult: {read: stdout, as: json}\n",
        True,
    ),
    ("executable: x\nparameters: {o: {type: path, output: {optional: true}}}\nprogress: {growth: {output: o}}\n", True),
    ("executable: x\nparameters: {a: {type: choice, choices: [a], flag: -a, default: a}}\n", True),
    ("executable: x\nbefore: [add: [1]]\nafter: ['add y=2', {tasklet: add, when: always}]\n", True),
    ("executable: x\nbefore: {add: [1]}\n", False),
    ("executable: x\nafter: [{tasklet: add, wen: always}]\n", False),
    ("parameters: {}\n", False),
    ("executable: x\nparameters: {a: {type: number, flag: -a}}\n", False),
    ("executable: x\nparameters: {a: {flag: -a}}\n", False),
    ("executable: x\nparameters: {a-b: {type: int, flag: -a}}\n", False),
    ("executable: x\nparameters: {a: {type: int, flagg: -a}}\n", False),
    ("executable: x\nresult: {read: stdout, as: yaml}\n", False),
    ("executable: x\nbuffering: none\n", False),
]


@pytest.mark.parametrize(("text", "is_good"), PROGRAMS)
def test_p9_the_schema_of_program_files_and_we_agree(tmp_path, text, is_good):
    path = tmp_path / "program.yaml"
    path.write_text(text)
    messages = refusals(program_schema(), read_document(path).value)
    assert (messages == []) is is_good, messages
    if is_good:
        load_program(path)
    else:
        with pytest.raises(InvalidFile):
            load_program(path)


def test_editors_are_told_what_each_key_means():
    keys = program_schema()["properties"] | program_schema()["$defs"]["ParameterEntry"]["properties"]
    keys |= job_schema(CATALOGUE)["properties"]
    assert [
        name for name, schema in keys.items() if not ({"description", "$ref"} & schema.keys() or "allOf" in schema)
    ] == []


def test_the_examples_fit_their_schemas():
    catalogue = load_catalogue(["sort_words.yaml"], EXAMPLES)
    assert refusals(program_schema(), read_document(EXAMPLES / "sort_words.yaml").value) == []
    assert refusals(job_schema(catalogue), read_document(EXAMPLES / "sort_readme.yaml").value) == []
    assert load_job(EXAMPLES / "sort_readme.yaml", catalogue).task == "sort_words"
