"""What a job looks like where no terminal is."""

import io

from rich.console import Console

from outrider.client.live import show_messages
from outrider.communicators import (
    Finished,
    Heartbeat,
    LogLines,
    Outcome,
    Progress,
    StateChanged,
    TaskletEnded,
    TaskletRun,
)


def shown(*messages):
    console = Console(file=io.StringIO(), highlight=False, width=80)
    show_messages(messages, console)
    return console.file.getvalue().splitlines()


def test_each_tenth_is_a_line_and_no_more():
    percents = [3, 9, 10, 14, 19, 37, 37, 38, 100]
    assert shown(*(Progress(done=n, total=100, unit="%") for n in percents)) == [
        "3/100 %",
        "10/100 %",
        "37/100 %",
        "100/100 %",
    ]


def test_lines_are_shown_whole_and_as_they_are_without_blank_ones():
    lines = ("[red]no markup[/red]", "   ", "word " * 100)
    assert shown(LogLines(stream="stderr", lines=lines)) == [f"stderr: {lines[0]}", f"stderr: {lines[2]}"]


def test_states_are_shown_and_heartbeats_are_not():
    beat = Heartbeat(pid=1, elapsed_seconds=1.0, rss=1, cpu_seconds=1.0)
    assert shown(StateChanged(state="starting", note="on w1"), beat) == ["starting: on w1"]


def test_it_ends_with_the_job_and_returns_its_outcome():
    outcome = Outcome(state="succeeded")
    assert show_messages([Finished(outcome=outcome), StateChanged(state="queued")]) == outcome
    assert show_messages([]) is None


def test_a_tasklet_is_a_line_and_what_went_wrong_stands_above_the_end():
    run = TaskletRun(id="1", tasklet="plot", place="after", number=1, state="failed", error="no x")
    end = Finished(outcome=Outcome(state="succeeded", warnings=("plot: no x",)))
    assert shown(TaskletEnded(run=run), end) == [
        "plot (after) failed: no x",
        "warning: plot: no x",
        "succeeded with warnings",
    ]
