"""Lines of drivers: what is a request and what is none, whatever bytes come in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.client.driver.protocol import Answer, FinishedLine, SubmitRequest
from outrider.client.driver.raw_lines import MOST_BYTES, LineSplitter, RawLine
from outrider.client.driver.request_line import Refusal, read_request
from outrider.communicators import JobState

JOB = {"job": "1"}
REQUESTS = [
    {"kind": "submit", "task": "sum"},
    {"kind": "submit", "task": "sum", "parameters": {"a": [1, None, {"b": "é"}]}, "block": True, "timeout": 2},
    {"kind": "submit", "task": "sum", "limits": {"run": "5m", "memory": "1GiB"}, "retry": {"exit_codes": [75]}},
    {"kind": "submit", "task": "sum", "before": ["plot x=1"], "after": [{"plot": {"x": 1}}], "without": ["all"]},
    {"kind": "submit", "task": "sum", "idempotency_key": "k"},
    *({"kind": kind, **JOB} for kind in ("cancel", "pause", "resume", "status")),
    {"kind": "send", **JOB, "value": [None]},
    {"kind": "list"},
    {"kind": "list", "all": True},
    {"kind": "shutdown"},
    {"kind": "shutdown", "grace": 1.5},
]


def read(line: bytes):
    return read_request(RawLine(1, line))


@pytest.mark.parametrize("request_", REQUESTS, ids=json.dumps)
@pytest.mark.parametrize("ref", [None, 0, 1, 1.0, True, "1", 2**70], ids=repr)
def test_each_request_is_read_with_its_ref(request_, ref):
    found = read(json.dumps({**request_, "ref": ref}).encode())
    assert not isinstance(found, Refusal), found.error
    assert (found.kind, found.ref, type(found.ref)) == (request_["kind"], ref, type(ref))
    assert read(json.dumps(request_).encode()).ref is None


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("x", "it is no JSON"),
        ("{", "it is no JSON"),
        ("[]", "it is no JSON object"),
        ('"submit"', "it is no JSON object"),
        ("{}", "kind: it has none; there are submit, cancel"),
        ('{"kind": "sbumit"}', "kind='sbumit': there is no such kind; did you mean 'submit'?"),
        ('{"kind": ["submit"]}', "there is no such kind"),
        ('{"kind": "submit"}', "task: is required"),
        ('{"kind": "submit", "task": 4}', "task=4: "),
        ('{"kind": "submit", "task": "a", "parameters": []}', "parameters=[]: "),
        ('{"kind": "submit", "task": "a", "parameters": {"a": NaN}}', "it is no JSON"),
        ('{"kind": "submit", "task": "a", "parameters": {"a": 1e999}}', "it is no JSON"),
        ('{"kind": "submit", "task": "a", "limits": {"runn": 4}}', "limits.runn: there is no such field"),
        ('{"kind": "submit", "task": "a", "block": 1}', "block=1: "),
        ('{"kind": "submit", "task": "a", "timeout": -1}', "timeout=-1: "),
        ('{"kind": "submit", "task": "a", "idempotency_key": ""}', "idempotency_key='': "),
        ('{"kind": "submit", "task": "\\ud800"}', "it is no JSON"),
        ('{"kind": "cancel"}', "job: is required"),
        ('{"kind": "cancel", "job": "1", "jobs": 1}', "jobs: there is no such field"),
        ('{"kind": "list", "ref": [1]}', "ref"),
        ('{"kind": "shutdown", "grace": 1e300}', "grace=1e+300: "),
        ('{"kind": "send", "job": "1"}', "value: is required"),
        ('{"kind": "send", "job": "1", "value": ' + "[" * 500 + "]" * 500 + "}", "it is no JSON: recursion"),
        ("[" * 100_000, "it is no JSON: recursion"),
    ],
)
def test_what_is_no_request_is_refused_with_its_line_and_reason(line, problem):
    refusal = read(line.encode())
    assert isinstance(refusal, Refusal)
    assert str(refusal.error).startswith("line 1 is no request: ")
    assert problem in str(refusal.error)
    assert len(str(refusal.error)) < 1000


def test_a_refusal_keeps_what_could_be_understood():
    refusal = read(b'{"kind": "submit", "ref": "a", "task": 1}')
    assert (refusal.ref, refusal.kind) == ("a", "submit")


@pytest.mark.parametrize(
    "content", [b"\xff", b'{"kind": "list", "ref": "\xff"}', b"\0", b'\xef\xbb\xbf{"kind":"list"}']
)
def test_bytes_that_are_no_text_are_refused(content):
    assert isinstance(read(content), Refusal)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
FIELDS = st.sampled_from(sorted({*SubmitRequest.model_fields, "job", "grace", "value", "all", "x"}))
LIKE_REQUESTS = st.builds(
    lambda request, changes: json.dumps({**request, **changes}).encode(),
    st.sampled_from(REQUESTS),
    st.dictionaries(FIELDS, JSON, max_size=3),
)
LINES = st.binary(max_size=60) | JSON.map(lambda tree: json.dumps(tree).encode()) | LIKE_REQUESTS


@given(LINES)
def test_whatever_is_read_is_a_request_or_is_refused(line):
    found = read(line)
    if isinstance(found, Refusal):
        assert json.loads(Answer(kind="error", ref=found.ref).to_line()).get("ref") == found.ref
    else:
        tree = json.loads(line)
        assert found.kind == tree["kind"]
        assert set(tree) <= set(type(found).model_fields)


@given(st.lists(LINES), st.lists(st.integers(1, 40)))
def test_lines_are_the_same_however_they_are_cut(lines, sizes):
    content = b"\n".join(lines)
    splitter, found, start = LineSplitter(), [], 0
    for size in sizes:
        found += splitter.feed(content[start : start + size])
        start += size
    found += splitter.feed(content[start:]) + splitter.end()
    expected = enumerate(content.split(b"\n"), 1)
    assert found == [RawLine(number, line) for number, line in expected if line.strip()]


def test_a_line_that_is_too_long_is_refused_without_being_kept():
    splitter = LineSplitter()
    for _ in range(40):
        assert splitter.feed(b"x" * 100_000) == []
    assert sum(map(len, splitter._parts)) <= MOST_BYTES
    first, second = splitter.feed(b"\n{}\n")
    assert (first.number, first.is_whole, second) == (1, False, RawLine(2, b"{}"))
    assert "longer than 1048576 bytes" in str(read_request(first).error)
    assert splitter.feed(b"x" * MOST_BYTES + b"\n")[0].is_whole


def finished(**changes):
    facts = {
        "job": "1",
        "task": "t",
        "state": JobState.SUCCEEDED,
        "reason": None,
        "error": "",
        "stderr_tail": (),
        "exit_code": 0,
        "signal": None,
        "result": None,
        "outputs": {},
        "warnings": (),
    }
    return FinishedLine(**{**facts, **changes})


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (None, None),
        (False, False),
        ([float("nan"), {"a": float("-inf")}], ["NaN", {"a": "-Infinity"}]),
        ("two\nlines\u2028", "two\nlines\u2028"),
        ("\udcff", "?"),
        (10**4000, 10**4000),
    ],
    ids=repr,
)
def test_a_result_is_told_as_json_on_one_line(result, told):
    line = finished(result=result).to_line()
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    tree = json.loads(line, parse_constant=pytest.fail)
    assert tree["result"] == told
    assert next(iter(tree)) == "kind"
    assert "ref" not in tree


def test_a_file_name_that_is_no_text_does_not_keep_a_line_back():
    assert json.loads(finished(outputs={"a": "/tmp/\udcff"}, ref=7).to_line())["outputs"] == {"a": "/tmp/?"}
