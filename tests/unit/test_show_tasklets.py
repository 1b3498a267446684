"""What `outrider show` says of tasklets, and how a job that went well with warnings is named everywhere."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from outrider.client.cli import main, show
from outrider.client.cli.listing import _note
from outrider.client.cli.tasklet_texts import call_text, parameters_text
from outrider.client.ending import ending_lines
from outrider.communicators import (
    Exit,
    Finished,
    JobRecord,
    JobSpec,
    JobState,
    Outcome,
    OutputFile,
    Reference,
    RunFacts,
    TaskletEnded,
    TaskletRun,
)
from outrider.tasklets import (
    FilePart,
    NoticePart,
    ParametersPart,
    SummaryPart,
    TablePart,
    TaskletCall,
    TextPart,
    WarningPart,
    grep_text,
    plot,
)

AT = datetime(2026, 11, 20, tzinfo=UTC)
PICTURE = FilePart(path=Path("/jobs/1/attempt-1/work/plot.png"), name="plot.png", media_type="image/png")
REFERENCE = Reference(key="1/plot.png", size=7, sha256="ab" * 32)


def run(tasklet: str, number: int, place: str = "after", **facts: object) -> TaskletRun:
    facts = {"state": "succeeded", "elapsed_seconds": 0.034, **facts}
    return TaskletRun(id=str(number), tasklet=tasklet, place=place, number=number, **facts)


RUNS = (
    run(
        "check_frames",
        1,
        "before",
        arguments="images=['a.tif']",
        parts=(SummaryPart(values={"frames": 3, "[b]mean[/b]": 1 / 3}), ParametersPart(values={"bins": 500})),
    ),
    run(
        "list_peaks",
        1,
        parts=(
            TablePart(columns=("q", "[note]"), rows=((21.376, "strong"), (15.1, None)), total_rows=5, total_columns=3),
            TextPart(text="two peaks\nof five", characters=18),
        ),
    ),
    run("plot", 2, parts=(PICTURE, WarningPart(text="no labels")), files={"plot.png": REFERENCE}),
    run(
        "publish", 3, state="timed_out", required=False, error="took longer than 30 s", printed="\x1b[31mfirst\nsecond"
    ),
    run("tell", 4, queue="web", parts=(NoticePart(title="LaB6", text="done"),)),
    run("clean", 5, state="skipped", error="the job did not fail"),
)
GOLDEN = """\

before 1: check_frames
state         succeeded, 0.03 s
arguments     images=['a.tif']
frames        3
[b]mean[/b]   0.333333
changed bins  500

after 1: list_peaks
state  succeeded, 0.03 s
q       [note]
21.376  strong
15.1
2 of 5 rows, 2 of 3 columns
message  two peaks
         of five

after 2: plot
state    succeeded, 0.03 s
picture  /jobs/1/attempt-1/work/plot.png (artefact plot.png)
warning  no labels

after 3: publish
state    timed_out, 0.03 s, not required
error    took longer than 30 s
printed  first
         second

after 4: tell
state   succeeded, 0.03 s
queue   web
notice  LaB6: done

after 5: clean
state  skipped
error  the job did not fail
"""


def record(runs: tuple[TaskletRun, ...] = RUNS, **changes: object) -> JobRecord:
    spec = JobSpec(id="1", task="measure", version="1", parameters={"bins": 100, "unit": "nm"}, queue="q")
    facts = {
        "spec": spec,
        "state": JobState.SUCCEEDED,
        "queued_at": AT,
        "outcome": Outcome(state=JobState.SUCCEEDED, warnings=("publish: took longer than 30 s",)),
        "tasklets": runs,
        **changes,
    }
    return JobRecord(**facts)


@pytest.fixture
def shown(monkeypatch):
    """Let the command show a record that is not in the ledger."""

    def call(kept: JobRecord, *options: str) -> str:
        monkeypatch.setitem(show.callback.__globals__, "found_record", lambda _: kept)
        done = CliRunner().invoke(main, ["show", "1", *options])
        assert done.exception is None, done.output
        return done.output

    return call


def test_t6_each_tasklet_is_shown_as_a_person_would_want_to_read_it(shown):
    text = shown(record())
    assert text.endswith(GOLDEN), text


def test_t6_json_has_all_of_it(shown):
    facts = json.loads(shown(record(), "--json"))
    assert JobRecord.model_validate(facts).tasklets == RUNS


def test_a_job_without_tasklets_has_nothing_of_them(shown):
    assert "before 1" not in shown(record(()))


def test_of_a_long_table_and_of_much_that_was_printed_the_begin_or_the_end_is_shown(shown):
    table = TablePart(columns=("n",), rows=tuple((n,) for n in range(100)), total_rows=1000, total_columns=1)
    printed = "\n".join(f"line {n}" for n in range(30))
    kept = record((run("list", 1, parts=(table,), printed=printed),))
    short, whole = shown(kept), shown(kept, "--all")
    assert "20 of 1000 rows (`--all` shows more)" in short
    assert "100 of 1000 rows\n" in whole
    assert "(20 lines; `--all` shows them)\n" in short
    assert "line 29" in short
    assert "line 3\n" not in short
    assert "line 3\n" in whole


# With warnings


def test_t7_a_job_with_warnings_says_so_everywhere(shown):
    kept = record()
    text = shown(kept)
    assert "succeeded with warnings" in text
    assert "publish: took longer than 30 s" in text.partition("before 1")[0]
    assert _note(kept) == "with warnings: publish: took longer than 30 s"
    assert str(Finished(outcome=kept.outcome)) == "succeeded with warnings"
    assert ending_lines(kept.outcome) == ["warning: publish: took longer than 30 s"]


def test_an_error_is_more_than_a_warning():
    outcome = Outcome(state=JobState.FAILED, reason="exit_code", error="it broke", warnings=("and more",))
    assert _note(record(outcome=outcome, state=JobState.FAILED)) == "it broke"


def test_t10_a_job_without_tasklets_ends_with_a_readable_summary():
    outcome = Outcome(
        state=JobState.SUCCEEDED,
        exit=Exit(exit_code=0, elapsed_seconds=9.768, cpu_seconds=6.4, peak_rss=194 * 2**20),
        outputs={"output": OutputFile(path=Path("/o/pattern.h5"), size=12, sha256="")},
    )
    assert ending_lines(outcome) == ["output: /o/pattern.h5 (12 bytes)", "used 9.77 s, 6.40 CPU s, peak 194 MiB"]


def test_t5_a_changed_parameter_is_shown_as_such(shown):
    ran = RunFacts(host="h", pid=1, argv=("x",), directory=Path("/j"), parameters={"bins": 500, "unit": "nm"})
    text = shown(record(run=ran))
    assert "500, changed by a tasklet" in text
    assert "'nm'\n" in text


# Words for calls


def test_calls_are_written_as_in_python():
    call = TaskletCall.of("plot {{ result.x }} title=LaB6 --when=always --optional --queue=web", time_limit="30s")
    assert call_text(call) == "plot({{ result.x }}, title='LaB6') when=always, optional, time_limit=30s, queue=web"
    assert call_text(TaskletCall.of("add '{{ a }} and {{ b }}'")) == "add('{{ a }} and {{ b }}')"
    assert len(call_text(TaskletCall.of({"add": "x" * 1000}))) < 100


def test_parameters_are_written_with_their_defaults():
    assert parameters_text(grep_text) == "file, pattern, ignore_case=False, most=10000"
    assert parameters_text(plot).endswith("y=None, file=plot.png, title='', x_label='', y_label=''")


def test_t7_an_end_is_a_line():
    assert str(TaskletEnded(run=RUNS[3])) == "publish (after) timed_out: took longer than 30 s"
