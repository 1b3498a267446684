"""E: the Executor, in a real worker, around real programs that behave badly."""

import itertools
import os
import signal
import statistics
import time

import pytest
from little_tasks import Shell, Sleep, Sum
from support import PROGRAMS, eventually

from outrider.tasks import ThirdPartyTask


def failed(job, within=2.0, since=None):
    outcome = job.wait(timeout=20)
    if since is not None:
        assert time.monotonic() - since < within
    assert outcome.state == "failed"
    return outcome


@pytest.mark.parametrize("pool", ["threads", "prefork", "solo"])
def test_e1_the_end_of_a_program_is_told_with_code_or_signal_and_the_last_lines(pool, start_worker, other_process):
    start_worker("--concurrency=2", pool=pool, OUTRIDER_QUEUE=f"ends-{pool}")
    code = """
import outrider
from little_tasks import Shell, Sum
scripts = {"exit 3": "echo one >&2; echo two >&2; exit 3", "segv": "kill -SEGV $$", "kill": "kill -KILL $$"}
for name, script in scripts.items():
    outcome = outrider.submit(Shell(script=script)).wait(timeout=20)
    print(name, outcome.state, outcome.reason, outcome.exit.exit_code, outcome.exit.signal, outcome.stderr_tail)
print(outrider.submit(Sum(left=1, right=2)).result(timeout=20))
"""
    lines = other_process(code, OUTRIDER_QUEUE=f"ends-{pool}").stdout.splitlines()
    assert lines == [
        "exit 3 failed exit_code 3 None ('one', 'two')",
        "segv failed signal None SIGSEGV ()",
        "kill failed signal None SIGKILL ()",
        "3",
    ]


def test_e1_a_killed_program_is_told_within_two_seconds_and_its_neighbours_live(producer, worker):
    neighbour = producer.submit(Sleep(seconds=3))
    job = producer.submit(Sleep(seconds=60))
    eventually(lambda: {job.status(), neighbour.status()} == {"running"}, "both run")
    pid = neighbour.record().run.pid
    since = time.monotonic()
    os.kill(job.record().run.pid, signal.SIGKILL)
    outcome = failed(job, since=since)
    assert (outcome.reason, outcome.exit.signal) == ("signal", "SIGKILL")
    assert neighbour.wait(timeout=20).state == "succeeded"
    assert neighbour.record().run.pid == pid


def test_e1_a_program_out_of_memory_does_not_take_the_worker_along(producer, worker):
    script = "ulimit -v 200000; exec python3 -c 'x = bytearray(1 << 30)'"
    outcome = failed(producer.submit(Shell(script=script)))
    assert "MemoryError" in outcome.stderr_tail
    assert producer.submit(Sum(left=1, right=1)).result(timeout=20) == 2


def test_e2_the_error_of_the_job_reaches_the_producer_with_reason_and_last_lines(producer, worker):
    with pytest.raises(producer.JobFailed) as raised:
        producer.submit(Shell(script="echo out of beam >&2; exit 7")).result(timeout=20)
    assert raised.value.reason == "exit_code"
    assert "exit code 7" in str(raised.value)
    assert "out of beam" in str(raised.value)


def test_e3_a_silent_job_reports_at_its_interval(producer, worker):
    job = producer.submit(Sleep(seconds=3.2))
    beats = [m for m in job.watch(timeout=20) if m.kind == "heartbeat"]
    assert all(beat.pid == job.record().run.pid and beat.rss > 0 for beat in beats)
    gaps = [b.elapsed_seconds - a.elapsed_seconds for a, b in itertools.pairwise(beats)]
    assert len(beats) >= 4
    assert 0.25 < statistics.median(gaps) < 0.75


def test_e5_floods_on_both_streams_are_kept_whole_and_relayed_bounded(producer, worker, redis_server):
    job = producer.submit(Shell(script=f"exec {PROGRAMS / 'spam'} 100"))
    before = _memory(worker.process.pid)
    messages = list(job.watch(timeout=60))
    assert messages[-1].outcome.state == "succeeded"
    attempt = job.record().run.directory.parent
    for name in ("stdout.log", "stderr.log"):
        assert (attempt / name).stat().st_size == 100_000_000
    logs = [m for m in messages if m.kind == "log"]
    assert sum(m.dropped for m in logs) > 0
    assert redis_server.client.memory_usage(f"outrider:job:{job.id}:messages") < 20 * 2**20
    assert _memory(worker.process.pid) - before < 50 * 2**20


def test_e5_strange_bytes_neither_block_nor_raise(producer, worker):
    script = r"""printf 'a\000b\n\377\376 bad\n'; head -c 10000000 /dev/zero | tr '\0' x; printf '\n'
printf '\303'; sleep 0.3; printf '\251t\303\251\n'; printf 'no newline'"""
    job = producer.submit(Shell(script=script))
    lines = [line for m in job.watch(timeout=30) if m.kind == "log" for line in m.lines]
    assert lines[0] == "ab"
    assert lines[1] == "\ufffd\ufffd bad"
    assert lines[-2:] == ["été", "no newline"]
    assert max(map(len, lines)) < 5000
    stdout = job.record().run.directory.parent / "stdout.log"
    assert stdout.stat().st_size == 4 + 7 + 10_000_001 + 6 + 10


def test_progress_comes_live_and_the_newest_is_in_the_record(producer, worker):
    job = producer.submit(Shell(script="for i in 1 2 3; do printf '\\rat %s of 3 frames' $i; sleep 0.3; done"))
    seen = [(m.done, m.total, m.unit) for m in job.watch(timeout=20) if m.kind == "progress"]
    assert seen == [(1, 3, "frames"), (2, 3, "frames"), (3, 3, "frames")]
    assert job.record().progress.fraction == 1.0


def _memory(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_p1_a_task_is_found_in_a_module_without_any_list(producer):
    from outrider.tasks import load_catalogue

    catalogue = load_catalogue(["little_tasks"])
    assert {"shell", "sum", "sleep", "convert_cif"} <= set(catalogue)
    assert all(issubclass(task, ThirdPartyTask) for task in catalogue.values())
