"""The record of a job as Redis keeps it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from outrider import Heartbeat, JobRecord, JobState, Outcome, Progress
from outrider.communicators import Exit, JobSpec, Provenance, RunFacts, TaskletRun, TaskletState
from outrider.communicators.record import tasklet_field, text_fields

SPEC = JobSpec(
    id="job-1", task="wc", version="1", parameters={"a": "0012", "b": [None, 1.5]}, queue="q", submitted_by="me@here"
)
RUN = RunFacts(
    host="here", pid=12, argv=("/bin/wc", "-l", "a b"), directory=Path("/jobs/1/work"), environment={"A": "é"}
)
OUTCOME = Outcome(state=JobState.SUCCEEDED, exit=Exit(exit_code=0), result=[])
PROVENANCE = Provenance(
    outrider_version="0.1", program_version="wc 9", inputs={"/a": {"size": 2, "modified": 0, "sha256": "ab"}}
)
PROGRESS = Progress(done=1, total=2)
HEARTBEAT = Heartbeat(pid=12, elapsed_seconds=1, rss=2, cpu_seconds=3)


def hash_of(*words: str, **fields: str) -> dict[bytes, bytes]:
    """Return names and values as redis-py gives them."""
    pairs = dict(zip(words[::2], words[1::2], strict=True)) | fields
    return {name.encode(): value.encode() for name, value in pairs.items()}


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


QUEUED = hash_of(*text_fields(spec=SPEC), state="queued", queued_at="1700000000123")


def test_a_queued_job_has_a_record():
    record = JobRecord.from_fields(QUEUED)
    assert record == JobRecord(spec=SPEC, state=JobState.QUEUED, queued_at=at(1700000000123))
    assert record.id == "job-1"


def test_j5_a_closed_job_has_all_there_is():
    words = text_fields(run=RUN, progress=PROGRESS, heartbeat=HEARTBEAT, provenance=PROVENANCE, outcome=OUTCOME)
    times = {"claimed_at": "1700000001000", "started_at": "1700000002000", "ended_at": "1700000003000"}
    facts = {"state": "succeeded", "attempt": "2", "worker": "w@here", "cancel_requested": "true", **times}
    assert JobRecord.from_fields(QUEUED | hash_of(*words, **facts)) == JobRecord(
        spec=SPEC,
        state=JobState.SUCCEEDED,
        attempt=2,
        worker="w@here",
        cancel_requested=True,
        queued_at=at(1700000000123),
        claimed_at=at(1700000001000),
        started_at=at(1700000002000),
        ended_at=at(1700000003000),
        run=RUN,
        progress=PROGRESS,
        heartbeat=HEARTBEAT,
        provenance=PROVENANCE,
        outcome=OUTCOME,
    )


def test_times_know_their_zone():
    assert JobRecord.from_fields(QUEUED).queued_at.tzinfo is UTC


@pytest.mark.parametrize("value", [b"anything", b"\xff\xfe"], ids=["text", "bytes"])
def test_fields_of_a_newer_version_are_left_alone(value):
    assert JobRecord.from_fields(QUEUED | {b"token": b"3", b"novelty": value}) == JobRecord.from_fields(QUEUED)


@pytest.mark.parametrize("result", [None, 0, "", False, []], ids=repr)
def test_j8_each_result_survives_in_the_record(result):
    outcome = Outcome(state=JobState.SUCCEEDED, result=result)
    kept = JobRecord.from_fields(QUEUED | hash_of(*text_fields(outcome=outcome))).outcome
    assert kept.result == result
    assert type(kept.result) is type(result)


def test_a_record_survives_json():
    record = JobRecord.from_fields(QUEUED | hash_of(*text_fields(run=RUN, outcome=OUTCOME)))
    assert JobRecord.model_validate_json(record.model_dump_json()) == record


def test_a_record_with_a_result_that_is_no_finite_number_survives_json():
    outcome = Outcome(state=JobState.SUCCEEDED, result=[float("nan")])
    record = JobRecord.from_fields(QUEUED | hash_of(*text_fields(outcome=outcome)))
    assert str(JobRecord.model_validate_json(record.model_dump_json()).outcome.result) == "[nan]"


def test_the_command_can_be_pasted_into_a_shell():
    assert RUN.command == "/bin/wc -l 'a b'"


def test_all_tasklets_are_kept_in_their_order():
    runs = [
        TaskletRun(id=str(n), tasklet="plot", place=place, number=n, state=TaskletState.SUCCEEDED)
        for place in ("before", "after")
        for n in range(1, 12)
    ]
    fields = hash_of(*text_fields(**{tasklet_field(run): run for run in reversed(runs)}))
    assert JobRecord.from_fields(QUEUED | fields).tasklets == tuple(runs)
