"""`-p key=value`, and how a task's parameters are told."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import BaseModel, Field

from outrider import InvalidParameters, Task
from outrider.client.cli.parameters import task_from_words, values_from_words
from outrider.client.cli.type_texts import default_text, type_text


class Region(BaseModel):
    size: int


@dataclass
class Corner:
    x: int


class Colour(Enum):
    RED = "red"


class Everything(Task):
    name: ClassVar[str] = "everything"

    text: str = ""
    number: int | None = None
    words: list[str] = []
    paths: list[Path] = [Path("a"), Path("b")]
    mapping: dict[str, list[int]] = {}
    matrix: list[list[int]] = []
    maybe_matrix: Annotated[list[tuple[int, int]] | None, Field(min_length=1)] = None
    regions: list[Region] = []
    corner: Corner | None = None
    either: str | dict[str, int] = ""
    anything: Any = None
    folder: Path = Path("here")
    unit: Literal["nm", "mm"] = "nm"
    colour: Colour = Colour.RED
    needed: int

    def run(self) -> None: ...


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["text=0012"], "text", "0012"),
        (["text=a=b"], "text", "a=b"),
        (['text={"a": 1}'], "text", '{"a": 1}'),
        (["words=0012", "words=[1]"], "words", ["0012", "[1]"]),
        (['mapping={"a": [1, 2]}'], "mapping", {"a": [1, 2]}),
        (["matrix=[[1, 2], [3]]"], "matrix", [[1, 2], [3]]),
        (["maybe_matrix=[[1, 2]]"], "maybe_matrix", [(1, 2)]),
        (['regions=[{"size": 3}]'], "regions", [Region(size=3)]),
        (['corner={"x": 3}'], "corner", Corner(3)),
        (['either={"a": 1}'], "either", '{"a": 1}'),
        (["anything=12"], "anything", "12"),
    ],
)
def test_p4_a_word_stays_text_and_only_what_has_parts_is_json(words, name, value):
    assert getattr(task_from_words(Everything, [*words, "needed=1"]), name) == value


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["mapping={a: 1}"], "mapping='{a: 1}': is no JSON"),
        (["mapping=" + "[" * 100_000], "is no JSON"),
        (["mapping={}", "mapping={}"], "mapping is given twice"),
        (["text=a", "text=b"], "text is given twice and is no list"),
        (["text"], "'text' is not KEY=VALUE"),
        (["mapping=3"], "mapping=3: Input should be a valid dictionary"),
    ],
)
def test_a_word_that_does_not_fit_is_named(words, problem):
    with pytest.raises(InvalidParameters) as refusal:
        task_from_words(Everything, [*words, "needed=1"])
    assert problem in str(refusal.value)


def test_words_alone_need_not_be_all_parameters():
    assert values_from_words(Everything, ["words=a"]) == {"words": ["a"]}


@pytest.mark.parametrize(
    ("name", "kind", "default"),
    [
        ("text", "str", "''"),
        ("number", "int | None", "None"),
        ("paths", "list[Path]", "[a, b]"),
        ("mapping", "dict[str, list[int]]", "{}"),
        ("maybe_matrix", "list[tuple[int, int]] | None", "None"),
        ("folder", "Path", "here"),
        ("unit", "nm | mm", "'nm'"),
        ("colour", "red", "'red'"),
        ("anything", "Any", "None"),
        ("needed", "int", "required"),
    ],
)
def test_types_and_defaults_are_told_as_people_read_them(name, kind, default):
    info = Everything.model_fields[name]
    assert (type_text(info.annotation), default_text(info)) == (kind, default)
