"""E9: what there is of the outputs of a job that did not succeed."""

import hashlib
import os
import threading
import time
from pathlib import Path
from typing import Annotated

import pytest
from attempts import Makes, Shell

from outrider import Limits, Output, ProgramRun, Progress
from outrider.communicators import Wish
from outrider.worker import partial_outputs
from outrider.worker.verdict import Released


class MakesTwo(Makes):
    other: Annotated[Path, Output()] = Path("below/other.txt")


class Unreadable(Makes):
    def read_result(self, run: ProgramRun) -> int:
        raise ValueError("no numbers")


async def cancel(job) -> None:
    await job.until(lambda: job.executor.progress, "the program has done something")
    job.ledger.wish("job-1", Wish.CANCEL)
    job.executor.upward.wake()


def limited(job, **limits):
    """Put limits on a job that has been claimed."""
    job.executor._held = job.held.model_copy(
        update={"spec": job.held.spec.model_copy(update={"limits": Limits(**limits)})}
    )
    return job


def check_half_is_kept(job, outcome):
    (kept,) = outcome.outputs.values()
    assert kept.path == job.directory / "partial" / "made.txt"
    assert (kept.partial, kept.size, kept.path.read_text()) == (True, 5, "half\n")
    assert kept.sha256 == hashlib.sha256(b"half\n").hexdigest()
    assert not (job.directory / "outputs").exists()
    assert job.record.outcome == outcome
    assert job.said(Progress)[-1].done == job.record.progress.done == 1


def test_e9_a_failed_program_leaves_partial_outputs_and_its_progress(attempt):
    job = attempt(Makes(script="echo half > made.txt; echo 1/2; exit 3"))
    outcome = job.run()
    assert (outcome.state, outcome.reason) == ("failed", "exit_code")
    check_half_is_kept(job, outcome)


def test_e9_a_cancelled_program_leaves_them(attempt):
    job = attempt(Makes(script="echo half > made.txt; echo 1/2; exec sleep 20"))
    outcome = job.run(cancel)
    assert outcome.state == "cancelled"
    check_half_is_kept(job, outcome)


def test_e9_a_program_that_ran_too_long_leaves_them(attempt):
    job = limited(attempt(Makes(script="echo half > made.txt; echo 1/2; exec sleep 20")), run="1s")
    outcome = job.run()
    assert outcome.state == "timed_out"
    check_half_is_kept(job, outcome)


def test_e9_a_program_that_used_too_much_memory_leaves_them(attempt):
    job = limited(attempt(Makes(script="echo half > made.txt; echo 1/2; exec sleep 20")), memory=1000)
    outcome = job.run()
    assert outcome.reason == "out_of_memory"
    check_half_is_kept(job, outcome)


def test_e9_where_one_output_is_missing_the_others_are_partial(attempt):
    job = attempt(MakesTwo(script="mkdir below; echo a > below/other.txt"))
    outcome = job.run()
    assert outcome.reason == "missing_output"
    assert {name: (o.path, o.partial) for name, o in outcome.outputs.items()} == {
        "other": (job.directory / "partial" / "below" / "other.txt", True)
    }


def test_outputs_are_whole_when_only_the_result_cannot_be_read(attempt):
    job = attempt(Unreadable(script="echo a > made.txt"))
    outcome = job.run()
    assert outcome.reason == "result"
    assert (outcome.outputs["made"].partial, outcome.outputs["made"].path) == (
        False,
        job.directory / "outputs" / "made.txt",
    )


def test_a_program_that_never_started_leaves_nothing(attempt):
    job = attempt(Makes(script="true"), environment={"PATH": "/nowhere"})
    assert (job.run().reason, job.record.outcome.outputs) == ("environment", {})
    assert not (job.directory / "partial").exists()


def test_what_a_retried_attempt_left_stays_in_its_own_folder(attempt):
    job = attempt(Makes(script="echo half > made.txt; exit 75"))
    retry = job.held.spec.retry.model_copy(update={"exit_codes": {75}, "max_attempts": 2})
    job.executor._held = job.held.model_copy(update={"spec": job.held.spec.model_copy(update={"retry": retry})})
    assert isinstance(job.run(), Released)
    assert (job.directory / "attempt-1" / "work" / "made.txt").read_text() == "half\n"
    assert not (job.directory / "partial").exists()


def test_s2_a_link_that_leads_out_is_not_kept_and_the_outcome_stays(attempt):
    job = attempt(MakesTwo(script="ln -s /etc/hostname made.txt; mkdir below; echo a > below/other.txt; exit 3"))
    outcome = job.run()
    assert outcome.reason == "exit_code"
    assert list(outcome.outputs) == ["other"]
    assert not (job.directory / "partial" / "made.txt").is_symlink()


def test_two_outputs_may_be_one_file_and_empty_ones_are_kept(attempt):
    outcome = attempt(MakesTwo(script="mkdir below; : > made.txt; ln -s ../made.txt below/other.txt; exit 3")).run()
    assert {name: (o.size, o.path.is_file(), o.path.is_symlink()) for name, o in outcome.outputs.items()} == {
        "made": (0, True, False),
        "other": (0, True, False),
    }


def test_what_cannot_be_kept_is_a_line_in_the_log_and_changes_nothing_else(attempt, caplog):
    job = attempt(Makes(script="echo half > made.txt; echo > ../../partial; exit 3"))
    outcome = job.run()
    assert (outcome.reason, outcome.outputs) == ("exit_code", {})
    assert "the partial output made is not kept: [Errno 20]" in caplog.text


def test_what_takes_too_long_to_be_hashed_is_kept_without(attempt, monkeypatch):
    monkeypatch.setattr(partial_outputs, "_HASH_SECONDS", 0.2)
    job = attempt(Makes(script=f"truncate -s {2**40} made.txt; exit 3"))
    begun = time.monotonic()
    kept = job.run().outputs["made"]
    assert (kept.size, kept.sha256, kept.partial) == (2**40, "", True)
    assert time.monotonic() - begun < 5


def test_a_file_system_that_hangs_does_not_delay_the_end_for_long(attempt, monkeypatch, caplog):
    from outrider.worker import attempt_end

    hangs = threading.Event()
    monkeypatch.setattr(attempt_end, "_PARTIAL_SECONDS", 0.3)
    monkeypatch.setattr(attempt_end, "keep_partial_outputs", lambda *_: hangs.wait(10))
    job = attempt(Makes(script="exit 3"))

    async def let_go(job) -> None:
        await job.until(lambda: job.record.outcome, "the job is closed although the disk hangs")
        hangs.set()

    begun = time.monotonic()
    assert job.run(let_go).reason == "exit_code"
    assert time.monotonic() - begun < 5
    assert "the partial outputs are not kept: TimeoutError" in caplog.text


def test_wherever_an_output_would_go_a_partial_one_stays_in_the_jobs_folder(attempt, tmp_path):
    goal = tmp_path / "results" / "made.txt"
    job = attempt(Makes(made=goal, script="echo half > outputs/made/made.txt; exit 3"), output_roots=(tmp_path,))
    kept = job.run().outputs["made"]
    assert kept.path == job.directory / "partial" / "made" / "made.txt"
    assert not goal.exists()


@pytest.mark.parametrize(
    ("keep", "script", "stays"),
    [
        ("always", "true", True),
        ("unsuccessful", "true", False),
        ("unsuccessful", "exit 3", True),
        ("never", "true", False),
        ("never", "exit 3", False),
    ],
)
def test_e10_the_working_folder_outlives_its_job_as_the_settings_say(attempt, keep, script, stays):
    job = attempt(Makes(script=f"echo a > made.txt; mkdir sub; touch sub/x; chmod a-w sub; {script}"), keep_work=keep)
    outcome = job.run()
    assert (job.directory / "attempt-1" / "work").exists() is stays
    assert (job.directory / "attempt-1" / "stderr.log").exists()
    assert (job.directory / "record.json").exists()
    assert outcome.outputs["made"].path.read_text() == "a\n"


@pytest.mark.parametrize(
    "script",
    [
        "cd ..; mv work gone; ln -s {0}/work work",
        "cd ../..; mkdir attempt-0; ln -s {0}/work attempt-0/work",
        "cd ../..; ln -s {0} attempt-0",
    ],
    ids=["its own", "another's", "an attempt"],
)
def test_e10_a_working_folder_that_is_a_link_is_left_alone(attempt, tmp_path, script):
    precious = tmp_path / "precious" / "work" / "a"
    precious.parent.mkdir(parents=True)
    precious.touch()
    job = attempt(Shell(script=script.format(tmp_path / "precious")), keep_work="never")
    assert job.run().state == "succeeded"
    assert precious.exists()


def test_e10_a_working_folder_that_an_output_refers_to_stays(tmp_path):
    from outrider.worker.work_folders import remove_work_folders

    work = tmp_path / "attempt-1" / "work"
    work.mkdir(parents=True)
    (work / "made.txt").touch()
    (tmp_path / "outputs").mkdir()
    os.symlink(work / "made.txt", tmp_path / "outputs" / "made.txt")
    (tmp_path / "attempt-2" / "work").mkdir(parents=True)
    remove_work_folders(tmp_path, [tmp_path / "outputs" / "made.txt"])
    assert work.exists()
    assert not (tmp_path / "attempt-2" / "work").exists()
