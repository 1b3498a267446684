"""E: the Executor, in a real worker, around real programs that behave badly."""

import itertools
import os
import signal
import statistics
import time

import pytest
from little_tasks import Shell, Sleep, Sum
from support import eventually

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


def test_p1_a_task_is_found_in_a_module_without_any_list(producer):
    from outrider.tasks import load_catalogue

    catalogue = load_catalogue(["little_tasks"])
    assert {"shell", "sum", "sleep", "convert_cif"} <= set(catalogue)
    assert all(issubclass(task, ThirdPartyTask) for task in catalogue.values())
