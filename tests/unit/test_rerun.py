"""From a record to the task that is run again: nothing is lost, and what has changed is said."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
from pydantic import BaseModel, Field

from outrider import Flag, JobState, NotAnArgument, Output, ThirdPartyTask
from outrider.client.rerun import task_again, versions_changed
from outrider.communicators import JobRecord, JobSpec, Provenance
from outrider.config.errors import InvalidParameters, UnknownTask
from outrider.tasks import Catalogue


class Unit(Enum):
    Q = "q_A^-1"


class Window(BaseModel):
    low: float
    high: float = float("inf")
    mask: Path | None = None


class Fit(ThirdPartyTask):
    executable: ClassVar[str] = "true"

    source: Annotated[Path, Flag()]
    more: Annotated[list[Path], Flag()] = []
    version_: Annotated[int, Flag(), Field(alias="version")] = 1
    unit: Annotated[Unit, NotAnArgument()] = Unit.Q
    window: Annotated[Window, NotAnArgument()] = Window(low=0)
    tags: Annotated[frozenset[str], NotAnArgument()] = frozenset()
    wait: Annotated[timedelta, NotAnArgument()] = timedelta(0)
    exact: Annotated[Decimal, NotAnArgument()] = Decimal("0.10")
    out: Annotated[Path, Output()] = Path("out")


TASK = Fit(
    source="/data/a",
    more=["/data/b"],
    version=3,
    window=Window(low=-1),
    tags=frozenset("ab"),
    wait=timedelta(hours=30),
    exact=Decimal("1.50"),
)


def record(task=TASK, **changes):
    spec = JobSpec(id="1", task=task.name, version="1", parameters=task.parameters(), queue="q")
    kept = JobRecord(spec=spec, state=JobState.SUCCEEDED, queued_at=datetime.now(UTC), **changes)
    return JobRecord.model_validate_json(kept.model_dump_json())


def test_aliases_paths_enums_models_sets_and_infinity_survive():
    assert task_again(Catalogue([Fit]), record(), {}) == TASK


def test_a_change_may_use_the_fields_name_or_the_parameters():
    again = task_again(Catalogue([Fit]), record(), {"version": 4, "window": {"low": 7}})
    assert (again.version_, again.window, again.more) == (4, Window(low=7), TASK.more)
    assert task_again(Catalogue([Fit]), record(), {"version_": 5}).version_ == 5


def test_changed_inputs_are_named_from_here_and_recorded_ones_stay_as_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    relative = record(TASK.model_copy(update={"source": Path("rendered.conf")}))
    again = task_again(Catalogue([Fit]), relative, {"more": ["x", "/y"], "window": {"low": 1, "mask": "m"}, "out": "o"})
    assert (again.source, again.more, again.out) == (Path("rendered.conf"), [tmp_path / "x", Path("/y")], Path("o"))
    assert again.window.mask == tmp_path / "m"


def test_what_does_not_fit_any_more_is_said():
    with pytest.raises(InvalidParameters, match="bins: there is no such field"):
        task_again(Catalogue([Fit]), record(), {"bins": 5})
    with pytest.raises(UnknownTask):
        task_again(Catalogue([]), record(), {})


def test_another_version_of_the_program_is_said_where_it_can_be_asked(tmp_path):
    program = tmp_path / "fit"
    program.write_text("#!/bin/sh\necho fit 2.0\n")
    program.chmod(0o755)

    class Versioned(ThirdPartyTask):
        name = "fit"
        executable = str(program)
        version_arguments = ("--version",)

    def said(version):
        return versions_changed(record(provenance=Provenance(program_version=version)), Versioned())

    assert said("fit 2.0") == []
    assert said("") == [], "it was not asked then"
    assert said("fit 1.0") == ["the program says 'fit 2.0' here; for job 1 it said 'fit 1.0'"]
    program.unlink()
    assert said("fit 1.0") == [], "it is not here"
