"""The whole vocabulary of flags, and that every argument arrives as it was given."""

import asyncio
import json
import subprocess
import types
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError
from support import PROGRAMS

from outrider import Flag, NotAnArgument, Output, PassThrough, Positional, Stdin, Stdout, ThirdPartyTask
from outrider.worker import plan_launch
from outrider.worker.program import Program


class Mode(StrEnum):
    FAST = "quick"


class Level(Enum):
    HIGH = 3


def task_with(annotation: Any) -> type[ThirdPartyTask]:
    """Return a task with one field, called `max_iter`."""
    fields = {"__annotations__": {"max_iter": annotation}, "executable": "prog", "__module__": __name__}
    return types.new_class("Example", (ThirdPartyTask,), exec_body=lambda body: body.update(fields))


OPTIONS = [
    ("the name of the field", Annotated[int, Flag()], 3, ("--max-iter", "3")),
    ("a long option", Annotated[int, Flag("--cycles")], 3, ("--cycles", "3")),
    ("a long option joined by =", Annotated[float, Flag("--dmin", joined="=")], 1.5, ("--dmin=1.5",)),
    ("the name of the field joined by =", Annotated[int, Flag(joined="=")], 3, ("--max-iter=3",)),
    ("a short option", Annotated[int, Flag("-t")], 3, ("-t", "3")),
    ("a short option joined by nothing", Annotated[int, Flag("-n", joined="")], 3, ("-n3",)),
    ("a bare option with a single dash", Annotated[str, Flag("-resolution")], "2.0", ("-resolution", "2.0")),
    ("key=value", Annotated[str, Flag("hklin", joined="=")], "a.mtz", ("hklin=a.mtz",)),
    ("an option that is left out", Annotated[int | None, Flag("-t")], None, ()),
    ("an optional option that is given", Annotated[int | None, Flag("-t")], 0, ("-t", "0")),
    ("an empty string", Annotated[str, Flag("-t")], "", ("-t", "")),
    ("an empty string joined by =", Annotated[str, Flag("--t", joined="=")], "", ("--t=",)),
    ("an optional empty string", Annotated[str | None, Flag("-t")], "", ("-t", "")),
    ("a list as separate words", Annotated[list[str], Flag("-i")], ["a", "b"], ("-i", "a", "b")),
    ("a list repeated", Annotated[list[str], Flag("-i", repeat=True)], ["a", "b"], ("-i", "a", "-i", "b")),
    (
        "a list repeated and joined",
        Annotated[list[str], Flag("--in", repeat=True, joined="=")],
        ["a", "b"],
        ("--in=a", "--in=b"),
    ),
    ("a list with a separator", Annotated[list[int], Flag("-i", separator=",")], [1, 2], ("-i", "1,2")),
    (
        "a list with a separator, joined",
        Annotated[list[int], Flag("--in", separator=":", joined="=")],
        [1, 2],
        ("--in=1:2",),
    ),
    ("a list of one", Annotated[list[str], Flag("-i", separator=",")], ["a"], ("-i", "a")),
    ("a list of one empty string", Annotated[list[str], Flag("-i", repeat=True)], [""], ("-i", "")),
    ("an empty list", Annotated[list[str], Flag("-i")], [], ()),
    ("an empty list repeated", Annotated[list[str], Flag("-i", repeat=True)], [], ()),
    ("an empty list with a separator", Annotated[list[str], Flag("-i", separator=",")], [], ()),
    ("an optional list that is left out", Annotated[list[str] | None, Flag("-i")], None, ()),
    ("a tuple", Annotated[tuple[int, int], Flag("--size")], (3, 4), ("--size", "3", "4")),
    ("a switch that is on", Annotated[bool, Flag("--fast")], True, ("--fast",)),
    ("a switch that is off", Annotated[bool, Flag("--fast")], False, ()),
    ("a switch with two words, on", Annotated[bool, Flag("--fast", negative="--no-fast")], True, ("--fast",)),
    ("a switch with two words, off", Annotated[bool, Flag("--fast", negative="--no-fast")], False, ("--no-fast",)),
    ("a switch with two words, left out", Annotated[bool | None, Flag("--fast", negative="--no-fast")], None, ()),
    ("a choice of words", Annotated[Literal["a", "b"], Flag("-m")], "b", ("-m", "b")),
    ("a choice by StrEnum", Annotated[Mode, Flag("-m")], Mode.FAST, ("-m", "quick")),
    ("a choice by Enum", Annotated[Level, Flag("-m")], Level.HIGH, ("-m", "3")),
    ("a list of choices", Annotated[list[Mode], Flag("-m", separator=",")], [Mode.FAST], ("-m", "quick")),
    ("a negative number", Annotated[int, Flag("-t")], -1, ("-t", "-1")),
    ("a large number", Annotated[int, Flag("-t")], 10**20, ("-t", "100000000000000000000")),
    ("a fraction", Annotated[float, Flag("-t")], 0.1, ("-t", "0.1")),
    ("a small fraction", Annotated[float, Flag("-t")], 1e-7, ("-t", "1e-07")),
    ("a path", Annotated[Path, Flag("-f")], Path("/data/my file.cif"), ("-f", "/data/my file.cif")),
    ("a list of paths", Annotated[list[Path], Flag("-f", repeat=True)], [Path("a"), Path("b")], ("-f", "a", "-f", "b")),
    ("an output by option", Annotated[Path, Flag("-o"), Output()], Path("out.txt"), ("-o", "out.txt")),
    ("a constrained number", Annotated[int, Flag("-t"), Field(gt=0)], 3, ("-t", "3")),
    ("a positional", Annotated[str, Positional()], "a", ("a",)),
    ("a positional list", Annotated[list[Path], Positional()], [Path("a"), Path("b")], ("a", "b")),
    ("a positional that is left out", Annotated[str | None, Positional()], None, ()),
    ("an empty positional", Annotated[str, Positional()], "", ("",)),
    ("what is passed through", Annotated[list[str], PassThrough()], ["-v", "--"], ("--", "-v", "--")),
    ("nothing passed through", Annotated[list[str], PassThrough()], [], ()),
    ("no argument", Annotated[str, NotAnArgument()], "a", ()),
    ("an output without an argument", Annotated[Path, Output()], Path("out.txt"), ()),
    ("standard input", Annotated[Path, Stdin()], Path("in.txt"), ()),
    ("standard output", Annotated[Path, Stdout()], Path("out.txt"), ()),
]


@pytest.mark.parametrize(
    ("annotation", "value", "words"), [row[1:] for row in OPTIONS], ids=[row[0] for row in OPTIONS]
)
def test_each_kind_of_argument_becomes_its_words(annotation, value, words):
    assert task_with(annotation)(max_iter=value).argv() == ("prog", *words)


@pytest.mark.parametrize(
    ("annotation", "value", "words"), [row[1:] for row in OPTIONS], ids=[row[0] for row in OPTIONS]
)
def test_the_words_are_the_same_after_a_round_trip_through_json(annotation, value, words):
    task = task_with(annotation)
    sent = json.dumps(task(max_iter=value).parameters())
    assert task.from_parameters(json.loads(sent)).argv() == ("prog", *words)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(Annotated[Literal["a", "b"], Flag("-m")], "c"), (Annotated[Mode, Flag("-m")], "FAST")],
    ids=["Literal", "Enum"],
)
def test_what_is_no_choice_is_refused(annotation, value):
    with pytest.raises(ValidationError, match="max_iter"):
        task_with(annotation)(max_iter=value)


class Ordered(ThirdPartyTask):
    executable: ClassVar[str] = "prog"
    subcommand: ClassVar[tuple[str, ...]] = ("sub", "command")

    rest: Annotated[list[str], PassThrough()] = ["--rest", "r"]
    last: Annotated[str, Positional()] = "p1"
    zeta: Annotated[int, Flag()] = 1
    hidden: Annotated[int, NotAnArgument()] = 0
    other: Annotated[str, Positional()] = "p2"
    alpha: Annotated[int, Flag()] = 2


def test_the_order_is_subcommand_options_positionals_and_what_is_passed_through():
    expected = ("prog", "sub", "command", "--zeta", "1", "--alpha", "2", "p1", "p2", "--", "--rest", "r")
    assert Ordered().argv() == expected
    assert Ordered(alpha=2, zeta=1).argv() == expected


def test_what_was_described_in_a_parent_class_comes_first():
    class Longer(Ordered):
        beta: Annotated[int, Flag()] = 3

    assert Longer().argv()[3:9] == ("--zeta", "1", "--alpha", "2", "--beta", "3")


def run_program(task: ThirdPartyTask, directory: Path, stdout: int | None = subprocess.DEVNULL, **environment: str):
    async def run():
        launch = plan_launch(task, directory, {"PATH": "/usr/bin:/bin", **environment}, {"OUTRIDER_JOB": "job-1"})
        return await Program.start(launch, stdout, subprocess.DEVNULL).wait()

    return asyncio.run(run())


def test_standard_input_comes_from_a_file_and_standard_output_goes_to_one(tmp_path):
    class Copy(ThirdPartyTask):
        executable: ClassVar[str] = "cat"
        source: Annotated[Path, Stdin()]
        copied: Annotated[Path, Stdout()]

    (tmp_path / "in.txt").write_bytes(b"\xff one\ntwo")
    assert run_program(Copy(source="in.txt", copied="out.txt"), tmp_path).ok
    assert (tmp_path / "out.txt").read_bytes() == b"\xff one\ntwo"


def test_standard_input_is_empty_when_no_file_is_named(tmp_path):
    class Count(ThirdPartyTask):
        executable: ClassVar[str] = "cat"
        source: Annotated[Path | None, Stdin()] = None
        copied: Annotated[Path, Stdout()] = Path("out.txt")

    assert run_program(Count(), tmp_path).ok
    assert (tmp_path / "out.txt").read_bytes() == b""


class PrintArguments(ThirdPartyTask):
    executable: ClassVar[str] = str(PROGRAMS / "printargs")

    option: Annotated[str, Flag("--option")]
    joined: Annotated[str, Flag("--joined", joined="=")]
    short: Annotated[str, Flag("-s", joined="")]
    repeated: Annotated[list[str], Flag("-r", repeat=True)]
    words: Annotated[list[str], Positional()]
    passed: Annotated[list[str], PassThrough()]


NASTY = ["", " ", "a b", "'", '"', "\\", "\n", "\r\n", "-", "--", "-rf", ";", "&& ls", "$(id)", "`id`", "${HOME}", "*"]
NASTY += ["~", "%s", "é", "e\u0301", "\u202e", "🧪", "\x1b[31m", "\x7f", "\ufeff", "\uffff", "#", "|", ">", "0012"]
texts = st.sampled_from(NASTY) | st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@settings(max_examples=150, deadline=None, database=None)
@given(st.fixed_dictionaries(dict.fromkeys(("option", "joined", "short"), texts)), *[st.lists(texts, max_size=3)] * 3)
@example({"option": "$(id)", "joined": "", "short": "\n"}, NASTY, NASTY, NASTY)
def test_p3_every_text_arrives_as_one_argument_byte_for_byte(tmp_path_factory, single, repeated, words, passed):
    folder = tmp_path_factory.getbasetemp()
    out = folder / "printed"
    task = PrintArguments(**single, repeated=repeated, words=words, passed=passed)
    sent = PrintArguments.from_parameters(json.loads(json.dumps(task.parameters())))
    assert run_program(sent, folder, PRINTARGS_OUT=str(out)).ok
    expected = ["--option", single["option"], f"--joined={single['joined']}", f"-s{single['short']}"]
    expected += [word for item in repeated for word in ("-r", item)]
    expected += [*words, *(["--", *passed] if passed else [])]
    assert out.read_bytes() == b"".join(word.encode() + b"\0" for word in expected)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Annotated[str, Flag("-t")], "a\0b"),
        (Annotated[list[str], Positional()], ["fine", "\0"]),
        (Annotated[list[str], PassThrough()], ["a\0"]),
        (Annotated[Path, Positional()], Path("a\0b")),
        (Annotated[Path | None, Stdin()], Path("a\0b")),
        (Annotated[str | int, Flag("-t")], "\0"),
    ],
    ids=["a text", "a list", "what is passed through", "a path", "a file for standard input", "a union"],
)
def test_a_nul_is_refused_with_a_clear_error(annotation, value):
    with pytest.raises(ValidationError, match="max_iter: a command line cannot hold a NUL character"):
        task_with(annotation)(max_iter=value)


@pytest.mark.parametrize("kind", [str, Path])
def test_text_that_is_no_unicode_and_cannot_be_written_as_json_is_refused(kind):
    with pytest.raises(ValidationError, match="max_iter"):
        task_with(Annotated[kind, Flag("-t")])(max_iter=kind("\udcff"))
