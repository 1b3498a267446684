"""What came out of the storm, from the ledger, the journals, the disk and the kernel."""

import json
import os
import statistics
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from journal import Entry
from lab import Lab
from pydantic import BaseModel
from storm import Injected

from outrider import JobRecord, JobState

__all__ = ["Findings", "audit", "processes_left"]

#: A start so soon after its worker's death was on its way already; the lease of the lab is longer.
_ON_ITS_WAY_SECONDS = 1.0


class Findings(BaseModel):
    """The facts that the table shows and the test judges."""

    jobs: int
    submitted: int
    states: dict[str, int]
    attempts: dict[int, int]
    starts: dict[int, int]
    #: From a kill to the next start of a job that the worker held.
    seconds_to_run_again: list[float]
    open_records: int
    #: Each of these must be empty: ids, with a word or two.
    not_closed: list[str]
    terminal_messages_not_one: list[str]
    wrong_results: list[str]
    wrong_files: list[str]
    unexpected_ends: list[str]
    starts_without_attempt: list[str]
    starts_after_the_end: list[str]

    @property
    def broken(self) -> list[str]:
        """What must not be, one line each."""
        lists = {name: value for name, value in self if isinstance(value, list) and name != "seconds_to_run_again"}
        found = [f"{name.replace('_', ' ')}: {item}" for name, value in lists.items() for item in value]
        if self.jobs != self.submitted:
            found.append(f"{self.jobs} records for {self.submitted} submitted jobs")
        return found

    def middle(self) -> str:
        """Return least, median and most of the seconds to run again."""
        times = self.seconds_to_run_again
        return f"{min(times):.1f} / {statistics.median(times):.1f} / {max(times):.1f}" if times else "none was held"


class _Start(BaseModel):
    job_id: str
    worker_id: str
    at: float


def audit(lab: Lab, entries: list[Entry], injected: Injected) -> Findings:
    """Look at everything, once all producers have ended."""
    entry_of = {entry.job_id: entry for entry in entries}
    starts: dict[str, list[float]] = {}
    for start in _starts(lab):
        starts.setdefault(start.job_id, []).append(start.at)
    records = [_record(lab, job_id) for job_id in lab.redis.zrange("outrider:jobs", 0, -1)]
    closed = [record for record in records if record.state.is_terminal]
    times = {record.id: starts.get(record.id, []) for record in records}
    return Findings(
        jobs=len(records),
        submitted=len(entry_of),
        states=Counter(record.state for record in records),
        attempts=dict(sorted(Counter(record.attempt for record in records).items())),
        starts=dict(sorted(Counter(map(len, times.values())).items())),
        seconds_to_run_again=_seconds_to_run_again(injected, starts),
        open_records=lab.redis.zcard("outrider:open"),
        not_closed=[_words(record) for record in records if not record.state.is_terminal],
        terminal_messages_not_one=[f"{r.id}: {n}" for r in closed if (n := _terminal_messages(lab, r.id)) != 1],
        wrong_results=[entry.job_id for entry in entries if entry.is_wrong],
        wrong_files=[record.id for record in records if _file_is_wrong(lab, record, entry_of)],
        unexpected_ends=[_words(record) for record in closed if not _is_expected(record, entry_of.get(record.id))],
        starts_without_attempt=[_words(record) for record in records if len(times[record.id]) > record.attempt],
        starts_after_the_end=[_words(r) for r in records if r.ended_at and any(t > _end(r) for t in times[r.id])],
    )


def processes_left(lab: Lab) -> dict[int, str]:
    """Return the processes that anything in the lab has started and that still live, guardians included."""
    worker_ids = {start.worker_id for start in _starts(lab)}
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            ours = lab.mark in (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # not ours to look at, or gone
        if command and "redis-server" not in command and (ours or any(word in command for word in worker_ids)):
            found[int(entry.name)] = command
    return found


def _starts(lab: Lab) -> Iterable[_Start]:
    lines = lab.starts.read_text().splitlines() if lab.starts.exists() else []
    for line in lines:
        job_id, worker_id, at = line.split()
        yield _Start(job_id=job_id, worker_id=worker_id, at=float(at))


def _record(lab: Lab, job_id: str) -> JobRecord:
    fields = lab.redis.hgetall(f"outrider:job:{job_id}")
    return JobRecord.from_fields({name.encode(): value.encode() for name, value in fields.items()})


def _terminal_messages(lab: Lab, job_id: str) -> int:
    entries = lab.redis.xrange(f"outrider:job:{job_id}:messages")
    return sum(json.loads(fields["json"])["kind"] == "finished" for _, fields in entries)


def _file_is_wrong(lab: Lab, record: JobRecord, entry_of: dict[str, Entry]) -> bool:
    if record.state is not JobState.SUCCEEDED or record.id not in entry_of:
        return False
    place = lab.jobs / record.id / "outputs" / "digest.txt"
    return not place.exists() or place.read_text() != entry_of[record.id].task.right_result()


def _is_expected(record: JobRecord, entry: Entry | None) -> bool:
    """Say whether a job ended as its program and its producer wanted, and its producer heard of it."""
    if entry is None:
        return False
    match record.state:
        case JobState.SUCCEEDED:
            return entry.result is not None and entry.task.manner != "fail"
        case JobState.FAILED:
            return entry.task.manner == "fail" and entry.error.startswith("JobFailed")
        case JobState.CANCELLED:
            return entry.cancelled and entry.error.startswith("JobCancelled")
        case _:
            return False


def _seconds_to_run_again(injected: Injected, starts: dict[str, list[float]]) -> list[float]:
    """Return them for the jobs that were started again; the others had ended, or were cancelled."""
    found = []
    for killed_at, job_ids in injected.kills:
        for job_id in job_ids:
            passed = (at - killed_at for at in sorted(starts.get(job_id, [])))
            found += [seconds for seconds in passed if seconds > _ON_ITS_WAY_SECONDS][:1]
    return found


def _end(record: JobRecord) -> float:
    return record.ended_at.timestamp() if record.ended_at else 0.0


def _words(record: JobRecord) -> str:
    error = record.outcome.error if record.outcome else f"queued at {record.queued_at:%H:%M:%S.%f}"
    return f"{record.id} is {record.state} in attempt {record.attempt} on {record.worker or 'no worker'}; {error}"
