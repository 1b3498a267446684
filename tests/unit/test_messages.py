"""Messages as they travel: JSON with a kind; what is not understood is skipped, and log text stays text."""

import json
import logging
import pickle
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider import FailureReason, Finished, Heartbeat, JobState, LogLines, Outcome, Progress, StateChanged
from outrider.communicators import (
    Artifact,
    Cancel,
    Exit,
    Message,
    OutputFile,
    Pause,
    Raised,
    Reference,
    Report,
    Resume,
    Returned,
    Snapshot,
    TaskletEnded,
    TaskletRun,
    UserMessage,
)
from outrider.communicators.messages import decode_message, encode_message
from outrider.tasklets import TextPart

POSITION = b"1700000000123-4"

OUTCOME = Outcome(
    state=JobState.FAILED,
    reason=FailureReason.EXIT_CODE,
    error="it ended with exit code 3",
    stderr_tail=("é", "last"),
    exit=Exit(exit_code=3, peak_rss=10, cpu_seconds=0.5, elapsed_seconds=1.5),
    outputs={"out": OutputFile(path=Path("/jobs/out"), size=2, sha256="ab")},
    result={"rows": [1, None, "0012"]},
)

ONE_OF_EACH = [
    StateChanged(state=JobState.RUNNING, note="wc", source="executor", sequence=3),
    Progress(done=1.5, total=3, unit="frames", source="stdout", sequence=1),
    LogLines(stream="stderr", lines=("a", "", "€🧪"), dropped=7, source="stderr"),
    Heartbeat(pid=12, elapsed_seconds=1.25, rss=2**40, cpu_seconds=0.5, source="executor"),
    Finished(outcome=OUTCOME, source="executor"),
    Report(value={"peaks": [1, 2.5]}, source="socket", sequence=2),
    Artifact(name="plot.png", reference=Reference(key="job-1/artifacts/plot.png", size=3, sha256="0" * 64)),
    Returned(value=[1, None]),
    Raised(error="ValueError: no frames"),
    UserMessage(value={"threshold": 3}),
    Snapshot(state=JobState.RUNNING, attempt=2, progress=Progress(done=1, total=3)),
    TaskletEnded(
        run=TaskletRun(
            id="2", tasklet="plot", place="after", number=1, state="failed", parts=(TextPart(text="é", characters=1),)
        )
    ),
    Cancel(),
    Pause(),
    Resume(),
]


def decode(raw: bytes, attempt: bytes = b"2") -> Message | None:
    return decode_message("job-1", POSITION, {b"json": raw, b"attempt": attempt})


@pytest.mark.parametrize("message", ONE_OF_EACH, ids=lambda message: message.kind)
def test_each_kind_survives_the_journey(message):
    arrived = decode(encode_message(message))
    assert type(arrived) is type(message)
    assert arrived.model_copy(update={"stamp": None}) == message


def test_the_journey_is_tried_for_each_kind_there_is():
    assert {type(message) for message in ONE_OF_EACH} == set(get_args(Message))


def test_the_carrier_says_which_job_which_attempt_and_when():
    stamp = decode(encode_message(Cancel())).stamp
    assert (stamp.job_id, stamp.attempt, stamp.position) == ("job-1", 2, "1700000000123-4")
    assert stamp.at == datetime.fromtimestamp(1700000000.123, UTC)


def test_a_message_cannot_carry_a_stamp_of_its_own():
    forged = json.loads(encode_message(Cancel())) | {
        "stamp": {"job_id": "other", "attempt": 9, "at": "2020-01-01T00:00:00Z", "position": "0-1"}
    }
    assert decode(json.dumps(forged).encode()).stamp.job_id == "job-1"
    assert b"stamp" not in encode_message(decode(encode_message(Cancel())))


def test_fields_of_a_newer_version_are_left_alone():
    newer = json.loads(encode_message(Progress(done=1))) | {"speed": 3}
    assert decode(json.dumps(newer).encode()).done == 1


NOT_UNDERSTOOD = [
    ("an unknown kind", b'{"kind": "telepathy"}'),
    ("no kind", b'{"done": 1}'),
    ("a field missing", b'{"kind": "progress"}'),
    ("a field of another type", b'{"kind": "log", "stream": "stdin", "lines": []}'),
    ("an unknown state", b'{"kind": "state", "state": "dreaming"}'),
    ("no object", b"[]"),
    ("no JSON", b"hello"),
    ("nothing", b""),
    ("no UTF-8", b'{"kind": "\xff"}'),
    ("a pickle", pickle.dumps(print)),
    ("depth", b"[" * 100_000),
]


@pytest.mark.parametrize("raw", [row[1] for row in NOT_UNDERSTOOD], ids=[row[0] for row in NOT_UNDERSTOOD])
def test_c6_what_is_not_understood_is_logged_and_skipped(raw, caplog):
    with caplog.at_level(logging.WARNING):
        assert decode(raw) is None
    (line,) = caplog.records
    assert (line.levelname, line.action, line.job_id) == ("WARNING", "message_skipped", "job-1")
    assert "1700000000123-4" in line.getMessage()


@pytest.mark.parametrize(
    "fields",
    [{}, {b"json": b'{"kind": "cancel"}'}, {b"json": b'{"kind": "cancel"}', b"attempt": b"first"}],
    ids=["no fields", "no attempt", "an attempt that is no number"],
)
def test_an_entry_that_is_no_message_is_logged_and_skipped(fields, caplog):
    assert decode_message("job-1", POSITION, fields) is None
    assert [line.action for line in caplog.records] == ["message_skipped"]


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=5,
)
kinds = st.sampled_from([message.kind for message in ONE_OF_EACH])
almost_messages = st.builds(
    lambda kind, rest: json.dumps(rest | {"kind": kind}).encode(),
    kinds,
    st.dictionaries(st.sampled_from(["state", "done", "lines", "stream", "outcome", "pid", "sequence"]), json_values),
)


@settings(max_examples=300, deadline=None, database=None)
@given(st.binary() | almost_messages)
def test_c6_no_bytes_whatever_raise(raw):
    logging.disable(logging.CRITICAL)
    try:
        decode(raw)
    finally:
        logging.disable(logging.NOTSET)


FORGERIES = [*(encode_message(message).decode() for message in ONE_OF_EACH), str(pickle.dumps(print)), "\x1b]0;x\x07"]


@pytest.mark.parametrize("printed", FORGERIES, ids=lambda text: text[:20])
def test_c5_what_a_program_prints_stays_log_text_whatever_it_resembles(printed):
    arrived = decode(encode_message(LogLines(stream="stdout", lines=(printed,), source="stdout")))
    assert type(arrived) is LogLines
    assert arrived.lines == (printed,)


@pytest.mark.parametrize("result", [None, 0, "", False, [], {}, "0012", [{"a": None}], 1.5], ids=repr)
def test_j8_each_result_survives_the_journey(result):
    arrived = decode(encode_message(Finished(outcome=Outcome(state=JobState.SUCCEEDED, result=result))))
    assert arrived.outcome.result == result
    assert type(arrived.outcome.result) is type(result)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")], ids=str)
def test_j8_a_result_that_is_no_finite_number_survives_the_journey(number):
    arrived = decode(encode_message(Finished(outcome=Outcome(state=JobState.SUCCEEDED, result={"r_free": number}))))
    assert str(arrived.outcome.result["r_free"]) == str(number)


def test_messages_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        Progress(done=1).done = 2


SPOKEN = [
    (StateChanged(state=JobState.RUNNING, note="wc"), "running: wc"),
    (StateChanged(state=JobState.RUNNING), "running"),
    (LogLines(stream="stdout", lines=("a", "b"), dropped=2), "stdout: (2 lines left out)\nstdout: a\nstdout: b"),
    (Heartbeat(pid=3, elapsed_seconds=61.2, rss=2**21, cpu_seconds=0.55), "running for 61 s: pid 3, 2 MiB, 0.6 CPU s"),
    (Finished(outcome=Outcome(state=JobState.SUCCEEDED, result=1)), "succeeded"),
    (Finished(outcome=OUTCOME), "failed (exit_code): it ended with exit code 3\n  | é\n  | last"),
]


@pytest.mark.parametrize(("message", "words"), SPOKEN, ids=[words[:20] for _, words in SPOKEN])
def test_messages_read_as_people_say_them(message, words):
    assert str(message) == words
