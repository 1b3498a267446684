"""What a field's annotation says, and that a wrong one is found when the class is written."""

import types
from pathlib import Path
from typing import Annotated, Any, Optional

import pytest
from pydantic import Field

from outrider import Flag, NotAnArgument, Output, PassThrough, Positional, Stdin, Stdout, Task, ThirdPartyTask
from outrider.tasks import TaskField


def define(**annotations: Any) -> type[ThirdPartyTask]:
    fields = {"__annotations__": annotations, "executable": "prog", "__module__": __name__}
    return types.new_class("Example", (ThirdPartyTask,), exec_body=lambda body: body.update(fields))


MISDECLARED = [
    ("no marker", int, "say where the value goes"),
    ("a marker's class in place of a marker", Annotated[int, Flag], "say where the value goes"),
    ("a marker within a union", Annotated[int, Flag("-t")] | None, "say where the value goes"),
    ("two markers", Annotated[int, Flag("-t"), Positional()], "more than one of Flag, Positional"),
    ("two flags", Annotated[int, Flag("-t"), Flag("-u")], "more than one of Flag, Flag"),
    ("repeat without a list", Annotated[int, Flag("-t", repeat=True)], "repeat and separator are for lists"),
    (
        "separator without a list",
        Annotated[str | None, Flag("-t", separator=",")],
        "repeat and separator are for lists",
    ),
    (
        "repeat and separator",
        Annotated[list[int], Flag("-t", repeat=True, separator=",")],
        "either repeated or joined by a separator",
    ),
    ("a joined list", Annotated[list[int], Flag("-t", joined="=")], "needs repeat=True or a separator"),
    ("negative without a bool", Annotated[int, Flag("-t", negative="-u")], "negative is for bool"),
    ("an output that is text", Annotated[str, Output()], "must be a Path"),
    ("an output that may be text", Annotated[Path | str, Output()], "must be a Path"),
    ("many outputs in one field", Annotated[list[Path], Output()], "must be a Path"),
    ("standard input that is text", Annotated[str, Stdin()], "must be a Path"),
    ("many files as standard input", Annotated[list[Path], Stdin()], "must be a Path"),
    ("standard output that is text", Annotated[str | None, Stdout()], "must be a Path"),
]


@pytest.mark.parametrize(("annotation", "words"), [row[1:] for row in MISDECLARED], ids=[row[0] for row in MISDECLARED])
def test_a_misdeclared_field_is_an_error_naming_class_and_field(annotation, words):
    with pytest.raises(TypeError, match=rf"Example\.wrong\b.*{words}"):
        define(fine=Annotated[int, Flag()], wrong=annotation)


@pytest.mark.parametrize("marker", [Stdin(), Stdout()], ids=["standard input", "standard output"])
def test_there_is_one_file_for_each_standard_stream(marker):
    with pytest.raises(TypeError, match=r"Example"):
        define(first=Annotated[Path, marker], second=Annotated[Path, marker])


READ = [
    (Annotated[int, Flag("-t")], TaskField("it", Flag("-t"), None, is_path=False, is_list=False, is_number=True)),
    (Annotated[Path, Positional()], TaskField("it", Positional(), None, is_path=True, is_list=False)),
    (Annotated[Path | None, Positional()], TaskField("it", Positional(), None, is_path=True, is_list=False)),
    (Annotated[Optional[Path], Positional()], TaskField("it", Positional(), None, is_path=True, is_list=False)),  # noqa: UP045  as people write it
    (Annotated[list[Path] | None, Positional()], TaskField("it", Positional(), None, is_path=True, is_list=True)),
    (Annotated[tuple[Path, ...], Positional()], TaskField("it", Positional(), None, is_path=True, is_list=True)),
    (Annotated[list[str], PassThrough()], TaskField("it", PassThrough(), None, is_path=False, is_list=True)),
    (Annotated[Path, Output()], TaskField("it", NotAnArgument(), Output(), is_path=True, is_list=False)),
    (
        Annotated[Path | None, Flag("-o"), Output(optional=True)],
        TaskField("it", Flag("-o"), Output(optional=True), is_path=True, is_list=False),
    ),
    (Annotated[Path, Stdin()], TaskField("it", Stdin(), None, is_path=True, is_list=False)),
    (Annotated[Path, Stdout()], TaskField("it", Stdout(), Output(allow_empty=True), is_path=True, is_list=False)),
    (Annotated[Path, Stdout(), Output()], TaskField("it", Stdout(), Output(), is_path=True, is_list=False)),
    (
        Annotated[int, Flag("-t"), Field(gt=0)],
        TaskField("it", Flag("-t"), None, is_path=False, is_list=False, is_number=True),
    ),
]


@pytest.mark.parametrize(("annotation", "expected"), READ, ids=[str(row[0]) for row in READ])
def test_a_field_says_where_its_value_goes(annotation, expected):
    assert define(it=annotation).task_fields() == (expected,)


@pytest.mark.parametrize(
    ("annotation", "is_input"),
    [
        (Annotated[Path, Positional()], True),
        (Annotated[list[Path], Flag("-i")], True),
        (Annotated[Path, Stdin()], True),
        (Annotated[Path, NotAnArgument()], True),
        (Annotated[Path, Output()], False),
        (Annotated[Path, Stdout()], False),
        (Annotated[str, Positional()], False),
    ],
    ids=["positional", "list", "standard input", "no argument", "output", "standard output", "text"],
)
def test_a_path_is_an_input_unless_it_is_an_output(annotation, is_input):
    (field,) = define(it=annotation).task_fields()
    assert field.is_input is is_input


def test_a_default_beside_the_markers_keeps_them():
    class Example(ThirdPartyTask):
        executable = "prog"
        it: Annotated[int, Flag("-t")] = Field(3, gt=0)

    assert Example().argv() == ("prog", "-t", "3")


def test_fields_keep_the_order_of_their_definition():
    task = define(zeta=Annotated[int, Flag()], alpha=Annotated[int, Flag()], mid=Annotated[int, Flag()])
    assert [field.name for field in task.task_fields()] == ["zeta", "alpha", "mid"]


TAKEN = [(Task, name) for name in ("name", "version", "limits", "run", "report", "log", "cancelled", "messages")]
TAKEN += [(ThirdPartyTask, name) for name in ("name", "executable", "progress", "argv", "read_result", "retry")]


@pytest.mark.filterwarnings("ignore:Field name")
@pytest.mark.parametrize(("base", "name"), TAKEN, ids=[f"{base.__name__}.{name}" for base, name in TAKEN])
def test_a_field_that_hides_what_each_task_has_is_an_error_that_says_what_to_do(base, name):
    fields = {"__annotations__": {name: Annotated[int, Flag("-x")]}, "__module__": __name__}
    with pytest.raises(TypeError, match=rf"Example\.{name}: each task has '{name}' already.*rename.*Field\(alias="):
        types.new_class("Example", (base,), exec_body=lambda body: body.update(fields))


def test_a_field_may_have_an_alias_that_each_task_has():
    class Greet(Task):
        name_: str = Field(alias="name")

        def run(self) -> str:
            return f"Hello {self.name_}"

    task = Greet(name="Bob")
    assert (task.run(), task.name, task.parameters()) == ("Hello Bob", "greet", {"name": "Bob"})
    assert Greet.from_parameters(task.parameters()).run() == task.run()


def test_a_subclass_may_declare_a_field_anew():
    class Base(ThirdPartyTask):
        it: Annotated[int, Flag()] = 1

    class Derived(Base):
        executable = "prog"
        it: Annotated[int, Flag()] = 2

    assert Derived().argv() == ("prog", "--it", "2")


def test_a_first_party_field_may_have_bounds_and_says_nothing_of_a_place():
    class Bounded(Task):
        bins: Annotated[int, Field(ge=1)]
        output: Annotated[Path, Output(), Field(description="what comes out")] = Path("made")

        def run(self) -> None: ...

    assert [type(field.place) for field in Bounded.task_fields()] == [NotAnArgument, NotAnArgument]
