"""The record of a closed job on disk."""

import json
import os
from datetime import timedelta

import pytest
from attempts import Little, Makes, Shell
from own_tasks import FindPeaks

from outrider import JobState, RetryPolicy
from outrider.client.records import find_record
from outrider.communicators import JobRecord, MemoryLedger, Wish, read_record
from outrider.config.errors import RecordDamaged
from outrider.worker.verdict import Released

#: By which clock, or by how many messages, ledger and Executor know of it.
APART = {"started_at", "ended_at", "progress", "heartbeat"}


def same(record: JobRecord) -> dict:
    return json.loads(record.model_dump_json(exclude=APART))


@pytest.mark.parametrize(
    "task",
    [Makes(script="echo 1/2; echo a > made.txt"), Makes(script="echo 1/2; echo a > made.txt; exit 3"), FindPeaks()],
    ids=["succeeded", "failed", "first-party"],
)
def test_e10_the_record_on_disk_is_the_ledgers(attempt, task):
    job = attempt(task, heartbeat_interval=timedelta(seconds=0.01))
    job.run()
    kept = read_record(job.directory)
    assert same(kept) == same(job.record)
    assert kept.progress.done == job.record.progress.done
    assert kept.started_at <= kept.ended_at
    assert kept.queued_at <= kept.claimed_at


def test_the_record_of_a_job_that_was_cancelled_says_who_wanted_it(attempt):
    async def cancel(job) -> None:
        await job.running()
        job.ledger.wish("job-1", Wish.CANCEL)
        job.executor.upward.wake()

    job = attempt(Little(program="hang"))
    job.run(cancel)
    kept = read_record(job.directory)
    assert (kept.state, kept.wish) == (JobState.CANCELLED, Wish.CANCEL)


def test_a_job_whose_program_never_started_has_a_record_as_well(attempt):
    job = attempt(Shell(script="true"), parameters={"script": 3})
    assert job.run().reason == "validation"
    assert same(read_record(job.directory)) == same(job.record)


class Refuses(MemoryLedger):
    async def close(self, held, outcome, provenance):
        raise ConnectionError("gone")


def test_r5_the_end_is_on_disk_before_the_ledger_hears_of_it_and_the_jobs_only_after(attempt):
    job = attempt(Shell(script="true"), ledger=Refuses())
    with pytest.raises(ConnectionError):
        job.run()
    assert read_record(job.directory / "attempt-1").state == "succeeded"
    with pytest.raises(FileNotFoundError):
        read_record(job.directory)


def test_an_attempt_that_is_followed_by_another_leaves_its_own_record_and_is_in_that_of_the_job(attempt):
    first = attempt(Shell(script="echo 1/2; exit 75"))
    spec = first.held.spec.model_copy(update={"retry": RetryPolicy(exit_codes={75}, max_attempts=2, backoff="0s")})
    first.ledger.records.change(first.record, spec=spec)
    first.executor._held = first.held.model_copy(update={"spec": spec})
    assert isinstance(first.run(), Released)
    kept = read_record(first.directory / "attempt-1")
    assert (kept.state, kept.outcome.exit.exit_code) == ("failed", 75)
    with pytest.raises(FileNotFoundError):
        read_record(first.directory)
    assert first.ledger.claim("job-1", "w").attempts[1].exit.exit_code == 75


def test_a_disk_that_takes_nothing_does_not_keep_the_job_open(attempt, caplog):
    async def make_it_a_file(job) -> None:
        await job.running()
        (job.directory / "attempt-1" / "record.json").mkdir()

    job = attempt(Shell(script="sleep 0.3"))
    assert job.run(make_it_a_file).state == "succeeded"
    assert job.record.state == "succeeded"
    assert "the record is not on disk: IsADirectoryError" in caplog.text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "the document: Invalid JSON"),
        ('{"spec": 1}', "spec: "),
        ('{"state": "succeeded", "queued_at": "2026-01-01T00:00:00Z"}', "spec: Field required"),
        (None, "it is no file"),
        ("[" * 100_000, "Invalid JSON"),
    ],
    ids=["empty", "another type", "half", "a pipe", "deep"],
)
def test_what_is_no_record_is_an_error_that_says_where_and_why(tmp_path, content, words):
    if content is None:
        os.mkfifo(tmp_path / "record.json")
    else:
        (tmp_path / "record.json").write_text(content)
    with pytest.raises(RecordDamaged, match=words) as raised:
        read_record(tmp_path)
    assert str(tmp_path / "record.json") in str(raised.value)


def test_a_file_of_gigabytes_is_not_read(tmp_path):
    (tmp_path / "record.json").touch()
    os.truncate(tmp_path / "record.json", 2**40)
    with pytest.raises(RecordDamaged, match="it has 1099511627776 bytes"):
        read_record(tmp_path)


class NothingKnown:
    """A ledger that has forgotten all jobs."""

    def run(self, _command):
        return []


def test_a_record_in_another_jobs_directory_is_not_believed(attempt):
    job = attempt(Shell(script="true"))
    job.run()
    jobs = job.directory.parent
    assert find_record(NothingKnown(), jobs, "job-1").record.id == "job-1"
    job.directory.rename(jobs / "job-2")
    with pytest.raises(RecordDamaged, match="it is that of another job, job-1"):
        find_record(NothingKnown(), jobs, "job-2")
