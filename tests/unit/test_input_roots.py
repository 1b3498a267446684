"""In which folders a job's inputs lie, wherever links lead."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from attempts import OUTSIDE, run_or_refused
from pydantic import BaseModel

from outrider import (
    Flag,
    NotAnArgument,
    Positional,
    Stdin,
    ThirdPartyTask,
)


class Wants(BaseModel):
    path: Path


class Reads(ThirdPartyTask):
    executable: ClassVar[str] = "true"
    one: Annotated[Path | None, Positional()] = None
    many: Annotated[list[Path], Flag()] = []
    fed: Annotated[Path | None, Stdin()] = None
    named: Annotated[dict[str, Path], NotAnArgument()] = {}
    nested: Annotated[Wants | None, NotAnArgument()] = None


SHAPES: dict[str, Callable[[Path], Any]] = {
    "one": lambda path: path,
    "many": lambda path: [path],
    "fed": lambda path: path,
    "named": lambda path: {"it": path},
    "nested": lambda path: Wants(path=path),
}
INSIDE = ["root/file", "root/sub", "root/link", "root/inner/file", "in", "root/sub/../file", "outside/../root/file"]


@pytest.mark.parametrize("path", INSIDE)
def test_s2_an_input_may_lie_in_a_root_by_whatever_way(attempt, root, path):
    assert run_or_refused(attempt, Reads(many=[root.parent / path]), input_roots=(root,)).message == ""


@pytest.mark.parametrize("path", OUTSIDE)
def test_s2_an_input_elsewhere_is_refused_with_where_it_leads(attempt, root, path):
    outcome = run_or_refused(attempt, Reads(one=root.parent / path), input_roots=(root, root.parent / "other"))
    assert (outcome.state, outcome.reason) == ("failed", "validation")
    assert f"the input {root.parent / path}" in outcome.error
    assert os.path.realpath(root.parent / path) in outcome.error
    assert f"OUTRIDER_INPUT_ROOTS, which names {root} and" in outcome.error


@pytest.mark.parametrize("field", SHAPES)
def test_s2_every_path_among_the_parameters_is_an_input(attempt, root, field):
    for path, state in ((root / "file", "succeeded"), (root / "out", "failed")):
        job = attempt(Reads(**{field: SHAPES[field](path)}), input_roots=(root,), job_id=state)
        assert job.run().state == state


def test_without_roots_inputs_may_lie_anywhere(attempt, root):
    assert run_or_refused(attempt, Reads(one=root / "out")).message == ""


class ReadsItsOwn(Reads):
    templates: ClassVar[dict[str, str | Path]] = {"own.conf": "text\n"}


def test_the_jobs_own_directory_is_always_a_root(attempt, root):
    assert run_or_refused(attempt, ReadsItsOwn(one="own.conf"), input_roots=(root,)).message == ""


def test_paths_anywhere_in_a_parameter_are_named_from_the_root():
    task = Reads(named={"it": "a"}, nested=Wants(path="b")).with_absolute_inputs(Path("/base"))
    assert (task.named, task.nested) == ({"it": Path("/base/a")}, Wants(path=Path("/base/b")))
    assert task.model_fields_set == {"named", "nested"}


def test_s2_a_files_name_that_is_a_link_already_is_replaced(attempt, root, tmp_path):
    (tmp_path / "jobs/job-1/attempt-1/work").mkdir(parents=True)
    (tmp_path / "jobs/job-1/attempt-1/work/own.conf").symlink_to(root / "file")
    (tmp_path / "jobs/job-1/parameters.json").symlink_to(root / "sub/file")
    assert attempt(ReadsItsOwn()).run().message == ""
    assert (root / "file").read_text() == (root / "sub/file").read_text() == "content\n"
