"""A description of a program: its parameters are checked, kept as they are, and survive JSON."""

import json
import math
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import BaseModel, ValidationError

from outrider import Flag, InvalidParameters, Output, Positional, ProgramRun, Stdin, Stdout, ThirdPartyTask
from outrider.communicators import JobSpec
from outrider.worker.launch import input_paths


class Refine(ThirdPartyTask):
    executable: ClassVar[str] = "refine"

    label: Annotated[str, Flag()] = "a"
    code: Annotated[str | int, Flag()] = "b"
    number_first: Annotated[int | str, Flag()] = "c"
    items: Annotated[list[str], Flag()] = []
    maybe: Annotated[str | None, Flag()] = None
    cycles: Annotated[int, Flag()] = 1
    cutoff: Annotated[float, Flag()] = 1.0
    source: Annotated[Path | None, Positional()] = None


def through_json(task: ThirdPartyTask) -> Any:
    return type(task).from_parameters(json.loads(json.dumps(task.parameters())))


@pytest.mark.parametrize("field", ["label", "code", "number_first", "maybe"])
@pytest.mark.parametrize("text", ["0012", "1e3", "true", "null", " 7 ", "1_000", ""])
def test_p4_text_stays_text_also_through_json(field, text):
    task = Refine.from_parameters({field: text})
    for seen in (task, through_json(task), through_json(through_json(task))):
        assert getattr(seen, field) == text
        assert type(getattr(seen, field)) is str
        assert text in seen.argv()


def test_p4_text_in_lists_stays_text_also_through_json():
    assert through_json(Refine(items=["0012", "1.50"])).items == ["0012", "1.50"]


@pytest.mark.parametrize("field", ["code", "number_first"])
def test_a_number_stays_a_number_in_a_union(field):
    assert type(getattr(through_json(Refine(**{field: 12})), field)) is int


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan], ids=str)
def test_a_number_without_a_finite_value_survives_json_or_is_refused(number):
    try:
        task = Refine(cutoff=number)
    except ValidationError:
        return
    spec = JobSpec(id="1", task="refine", version="1", parameters=task.parameters(), queue="q")
    recorded = JobSpec.model_validate_json(spec.model_dump_json())
    assert str(Refine.from_parameters(recorded.parameters).cutoff) == str(number)


def test_p4_unknown_keys_are_errors_naming_the_field():
    with pytest.raises(InvalidParameters) as refusal:
        Refine.from_parameters({"cycels": 3})
    said = "wrong parameters for task 'refine': cycels: there is no such field; did you mean 'cycles'?"
    assert str(refusal.value) == said


def test_what_our_own_checks_say_is_said_without_pydantics_words():
    class Leaves(ThirdPartyTask):
        executable: ClassVar[str] = "prog"
        made: Annotated[Path, Output(), Positional()]

    with pytest.raises(InvalidParameters) as refusal:
        Leaves.from_parameters({"made": "../x"})
    assert refusal.value.problems[0].startswith("made='../x': name an output")


def test_j2_each_wrong_parameter_is_named_with_its_value():
    with pytest.raises(InvalidParameters) as refusal:
        Refine.from_parameters({"cycles": "many", "cutoff": [], "items": ["a", 1]})
    text = str(refusal.value)
    for part in ("cycles='many': ", "cutoff=[]: ", "items.1=1: "):
        assert part in text
    assert len(refusal.value.problems) == 3


def test_a_missing_parameter_is_named():
    class Needs(ThirdPartyTask):
        executable: ClassVar[str] = "prog"
        source: Annotated[Path, Positional()]

    with pytest.raises(InvalidParameters, match="source: is required"):
        Needs.from_parameters({})


def test_parameters_cannot_be_changed_afterwards():
    with pytest.raises(ValidationError, match="frozen"):
        Refine().cycles = 2


OUTSIDE = ["/", "/data/..", "..", "../up", "a/../../up", "a/..", "", "."]


@pytest.mark.parametrize("name", OUTSIDE, ids=repr)
@pytest.mark.parametrize(
    "annotation",
    [Annotated[Path, Output()], Annotated[Path, Flag("-o"), Output(optional=True)], Annotated[Path, Stdout()]],
)
def test_an_output_outside_the_job_directory_is_refused(annotation, name):
    class Writes(ThirdPartyTask):
        executable: ClassVar[str] = "prog"
        result: annotation

    with pytest.raises(InvalidParameters, match=r"result=.*inside it"):
        Writes.from_parameters({"result": name})


@pytest.mark.parametrize("name", ["out.txt", "sub/out.txt", "...", "..out", "-o"])
def test_an_output_inside_the_job_directory_is_fine(name):
    class Writes(ThirdPartyTask):
        executable: ClassVar[str] = "prog"
        result: Annotated[Path, Output()]

    assert Writes(result=name).result == Path(name)


@pytest.mark.parametrize(
    ("class_name", "name"),
    [
        ("ConvertCif", "convert_cif"),
        ("Wc", "wc"),
        ("HKLToMTZ", "hkl_to_mtz"),
        ("Refine2Cycles", "refine2_cycles"),
        ("lower", "lower"),
    ],
)
def test_a_task_is_called_by_its_class_in_snake_case(class_name, name):
    assert type(Refine)(class_name, (Refine,), {"__module__": __name__}).name == name


def test_a_task_may_choose_its_name_and_its_children_choose_their_own():
    class Named(Refine):
        name: ClassVar[str] = "special"

    class Child(Named):
        pass

    assert (Named.name, Child.name) == ("special", "child")


class Summary(BaseModel):
    rows: int


def test_a_result_comes_back_in_the_type_that_read_result_declares():
    class Summarise(Refine):
        def read_result(self, run: ProgramRun) -> list[Summary]:
            return [Summary(rows=3)]

    adapter = Summarise.result_adapter()
    assert adapter.validate_python(json.loads(adapter.dump_json([Summary(rows=3)]))) == [Summary(rows=3)]
    with pytest.raises(ValidationError):
        adapter.validate_python("no summary")


def test_without_read_result_the_result_is_the_run(tmp_path):
    run = ProgramRun(
        directory=tmp_path,
        exit_code=0,
        outputs={"it": tmp_path / "out"},
        stdout_path=tmp_path / "stdout.log",
        stderr_path=tmp_path / "stderr.log",
    )
    adapter = Refine.result_adapter()
    assert Refine().read_result(run) == run
    assert adapter.validate_python(json.loads(adapter.dump_json(run))) == run
    run.stdout_path.write_bytes(b"\xff!")
    assert run.stdout == "\ufffd!"


class Files(ThirdPartyTask):
    executable: ClassVar[str] = "prog"

    one: Annotated[Path, Positional()]
    many: Annotated[list[Path], Flag()] = []
    pair: Annotated[tuple[Path, ...], Flag()] = ()
    fed: Annotated[Path | None, Stdin()] = None
    text: Annotated[str, Flag()] = "notes.txt"
    left: Annotated[Path, Output(), Flag()] = Path("left.txt")


def test_inputs_are_named_from_the_root_and_nothing_else_is(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    task = Files(one="a", many=["b", "/abs/c"], pair=("~/d",), fed="e").with_absolute_inputs(Path("/base"))
    assert input_paths(task) == [Path(p) for p in ("/base/a", "/base/b", "/abs/c", "/home/me/d", "/base/e")]
    assert (task.text, task.left) == ("notes.txt", Path("left.txt"))
    assert type(task.pair) is tuple


def test_an_input_whose_name_begins_with_a_tilde_is_found_beside_the_others():
    assert Files(one="~$draft.docx").with_absolute_inputs(Path("/base")).one == Path("/base/~$draft.docx")


def test_absent_inputs_stay_absent():
    assert input_paths(Files(one="a").with_absolute_inputs(Path("/base"))) == [Path("/base/a")]
