"""What differs between two runs, and which of it counts."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from outrider import FailureReason, JobState, TaskletCall
from outrider.client import compare
from outrider.communicators import Exit, InputFile, JobRecord, JobSpec, Outcome, OutputFile, Provenance, RunFacts

AT = datetime(2026, 11, 20, tzinfo=UTC)


def record(name, *, inputs=None, parameters=None, outcome=None, run=None, known=None, **spec):
    work = Path(f"/jobs/{name}/attempt-1/work")
    facts = {"host": "h", "pid": 1, "argv": ("/bin/fit", "--in", "/data/a"), "directory": work, "environment": {}}
    files = inputs if inputs is not None else {"/data/a": "aa"}
    described = {p: InputFile(size=1, modified=AT, sha256=sha) for p, sha in files.items()}
    values = {"state": JobState.SUCCEEDED, "exit": Exit(exit_code=0, elapsed_seconds=2.0), **(outcome or {})}
    return JobRecord(
        spec=JobSpec(
            **{"id": name, "task": "fit", "version": "1", "parameters": parameters or {}, "queue": "q", **spec}
        ),
        state=values["state"],
        queued_at=AT,
        run=RunFacts(**{**facts, **(run or {})}),
        provenance=Provenance(**{"inputs": described, **(known or {})}),
        outcome=Outcome(**values),
    )


def told(a, b):
    return {(d.section, d.name): d.counts for d in compare(a, b)}


def test_a_run_is_as_itself():
    assert compare(record("a"), record("a")) == []
    assert compare(record("a"), record("b")) == [], "ids and directories are no differences"


CHANGES = [
    ({"task": "other"}, ("task", "task")),
    ({"version": "2"}, ("task", "version")),
    ({"parameters": {"fit": {"bins": 5}}}, ("parameters", "fit.bins")),
    ({"parameters": {"words": ["x"]}}, ("parameters", "words[0]")),
    ({"run": {"parameters": {"bins": 5}}}, ("parameters", "bins")),
    ({"after": (TaskletCall.of("plot x=1"),)}, ("tasklets", "after 1")),
    ({"run": {"argv": ("/bin/fit",)}}, ("run", "command")),
    ({"run": {"environment": {"OMP": "1"}}}, ("environment", "OMP")),
    ({"known": {"program_version": "fit 2"}}, ("made with", "program")),
    ({"known": {"platform": "Linux"}}, ("made with", "platform")),
    ({"known": {"packages": {"numpy": "2"}}}, ("packages", "numpy")),
    ({"inputs": {"/data/a": "bb"}}, ("inputs", "/data/a")),
    ({"inputs": {"/data/a": "aa", "/data/b": "bb"}}, ("inputs", "/data/b")),
    ({"outcome": {"outputs": {"o": OutputFile(path=Path("/o"), size=1, sha256="cc")}}}, ("outputs", "o")),
    ({"outcome": {"state": JobState.FAILED, "reason": FailureReason.SIGNAL}}, ("end", "reason")),
    ({"outcome": {"result": {"x": 1}}}, ("result", "result")),
]


@pytest.mark.parametrize(("change", "place"), CHANGES, ids=["/".join(place) for _, place in CHANGES])
def test_what_decides_the_result_counts(change, place):
    assert told(record("a"), record("b", **change))[place] is True


SHOWN = [
    ({"run": {"host": "elsewhere"}}, ("run", "host")),
    ({"known": {"outrider_version": "9"}}, ("made with", "Outrider")),
    ({"outcome": {"exit": Exit(exit_code=0, elapsed_seconds=3.0)}}, ("used", "seconds")),
]


@pytest.mark.parametrize(("change", "place"), SHOWN, ids=["/".join(place) for _, place in SHOWN])
def test_what_does_not_decide_it_is_only_shown(change, place):
    assert told(record("a"), record("b", **change)) == {place: False}


def test_an_input_that_was_only_moved_does_not_count_wherever_it_is_named():
    a = record("a", parameters={"source": "/data/a"})
    run = {"argv": ("/bin/fit", "--in", "/moved/a"), "environment": {"SOURCE": "x"}}
    b = record("b", inputs={"/moved/a": "aa"}, parameters={"source": "/moved/a"}, run=run)
    a = a.model_copy(update={"run": a.run.model_copy(update={"environment": {"SOURCE": "x"}})})
    assert told(a, b) == {("parameters", "source"): False, ("run", "command"): False, ("inputs", "moved"): False}
    other = record("b", inputs={"/moved/a": "bb"}, parameters={"source": "/moved/a"}, run=run)
    assert told(a, other)[("parameters", "source")] is True


def test_an_input_without_a_hash_is_known_by_size_and_time():
    later = InputFile(size=1, modified=datetime(2026, 11, 21, tzinfo=UTC))
    a, b = (record(name, inputs={"/data/a": ""}) for name in "ab")
    assert told(a, b) == {}
    touched = b.model_copy(update={"provenance": Provenance(inputs={"/data/a": later})})
    assert told(a, touched) == {("inputs", "/data/a"): True}


def test_results_in_the_artefact_store_are_compared_by_content():
    def packed(job, sha):
        reference = {"key": f"{job}/artifacts/x", "size": 8, "sha256": sha * 64}
        return {"image": {"$outrider": {"version": 1, "kind": "array", "about": job, "reference": reference}}}

    a, b, c = (record(n, outcome={"result": packed(n, sha)}) for n, sha in (("a", "1"), ("b", "1"), ("c", "2")))
    assert told(a, b) == {}
    assert told(a, c) == {("result", "result"): True}


def test_true_is_not_one_and_our_variables_are_nobodys():
    assert told(record("a", parameters={"x": 1}), record("b", parameters={"x": True})) == {("parameters", "x"): True}
    assert told(record("a"), record("b", run={"environment": {"OUTRIDER_JOB": "b"}})) == {}
