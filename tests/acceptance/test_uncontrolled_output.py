"""What programs print, however and however fast: progress is found, nothing is believed, nobody waits."""

import pickle
import shlex
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from little_tasks import ByJson, Grows, InTerminal, LineBuffered, Shell
from support import PROGRAMS, RedisServer, eventually

from outrider import JobState, Outcome
from outrider.communicators import Message, TaskletRun, TaskletState, messages
from outrider.communicators.messages import encode_message


def progress_of(job):
    return [(m.done, m.total, m.unit, m.source) for m in job.watch(timeout=30) if m.kind == "progress"]


def logs_of(job):
    return job.record().run.directory.parent


def test_e4_progress_is_found_in_json_lines_on_either_stream(producer, worker):
    script = """
echo begin; echo '{"at": {"frame": 1}, "frames": 3}'; echo '{"level": "info"}'; sleep 0.3
echo '{"at": {"frame": 2}, "frames": 3}' >&2; echo '{"at": {"frame": ' >&2; sleep 0.3
echo '{"at": {"frame": 3}, "frames": 3}'"""
    job = producer.submit(ByJson(script=script))
    assert progress_of(job) == [
        (1, 3, "frames", "stdout"),
        (2, 3, "frames", "stderr"),
        (3, 3, "frames", "stdout"),
    ]
    assert job.record().progress.fraction == 1


def test_e4_a_growing_output_is_progress(producer, worker):
    script = "for i in 1 2 3; do head -c 1048576 /dev/zero >> made.txt; sleep 0.4; done; head -c 524288 /dev/zero >> made.txt"
    job = producer.submit(Grows(script=script, mebibytes=4))
    seen = progress_of(job)
    assert {(total, unit, source) for _, total, unit, source in seen} == {(4, "MiB", "executor")}
    sizes = [done for done, *_ in seen]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == 3.5
    assert len(sizes) >= 3


@pytest.mark.parametrize("task", [LineBuffered, InTerminal, Shell], ids=["line", "terminal", "program"])
def test_p11_a_program_that_holds_its_output_back_is_heard_if_its_task_says_how(producer, worker, task):
    job = producer.submit(task(script="{ echo now; sleep 1.5; } | sed s/now/heard/"))
    begun = time.monotonic()
    heard = next(m for m in job.watch(timeout=20) if m.kind == "log")
    assert heard.lines == ("heard",)
    assert (time.monotonic() - begun < 1) is (task is not Shell)
    assert job.wait(timeout=20).state == "succeeded"
    assert (logs_of(job) / "stdout.log").read_bytes() == b"heard\n"


def test_p11_the_program_is_what_failed_not_what_started_it(producer, worker):
    outcome = producer.submit(LineBuffered(script="exit 3")).wait(timeout=20)
    assert (outcome.exit.exit_code, outcome.error) == (3, "sh ended with exit code 3")


@pytest.fixture
def memory_growth(worker):
    """Return how much larger the worker has been, at its largest, than it was when the test began."""
    Path(f"/proc/{worker.process.pid}/clear_refs").write_text("5")  # the peak is measured anew
    before = peak_memory(worker.process.pid)
    return lambda: peak_memory(worker.process.pid) - before


def peak_memory(pid: int) -> int:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024


def test_e5_floods_are_kept_byte_for_byte_and_every_line_is_relayed_or_counted(
    producer, memory_growth, redis_server, tmp_path
):
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        subprocess.run([PROGRAMS / "spam", "100"], stdout=out, stderr=err, check=True)
    job = producer.submit(Shell(script=f"exec {PROGRAMS / 'spam'} 100"))
    logs = [m for m in job.watch(timeout=60) if m.kind == "log"]
    assert job.status() == "succeeded"
    assert redis_server.client.memory_usage(f"outrider:job:{job.id}:messages") < 20 * 2**20
    assert memory_growth() < 50 * 2**20
    for stream, file in (("stdout", "out"), ("stderr", "err")):
        expected = (tmp_path / file).read_bytes()
        assert len(expected) == 100_000_000
        assert (logs_of(job) / f"{stream}.log").read_bytes() == expected
        told = [m for m in logs if m.stream == stream]
        given, dropped = sum(len(m.lines) for m in told), sum(m.dropped for m in told)
        assert given + dropped == expected.count(b"\n") + (not expected.endswith(b"\n"))
        assert dropped > 0
        (tmp_path / file).unlink()


def test_e5_strange_bytes_neither_block_nor_raise(producer, worker):
    script = r"""printf 'a\000b\n\377\376 bad\n'; sleep 0.5; head -c 10000000 /dev/zero | tr '\0' x; printf '\n'
printf '\303'; sleep 0.3; printf '\251t\303\251\n'; printf 'no newline'"""
    job = producer.submit(Shell(script=script))
    lines = [line for m in job.watch(timeout=30) if m.kind == "log" for line in m.lines]
    assert lines[0] == "ab"
    assert lines[1] == "\ufffd\ufffd bad"
    assert lines[-2:] == ["été", "no newline"]
    assert max(map(len, lines)) < 5000
    stdout = logs_of(job) / "stdout.log"
    assert stdout.stat().st_size == 4 + 7 + 10_000_001 + 6 + 10


def test_e4_progress_comes_live_and_the_newest_is_in_the_record(producer, worker):
    job = producer.submit(Shell(script="for i in 1 2 3; do printf '\\rat %s of 3 frames' $i; sleep 0.3; done"))
    seen = [(m.done, m.total, m.unit) for m in job.watch(timeout=20) if m.kind == "progress"]
    assert seen == [(1, 3, "frames"), (2, 3, "frames"), (3, 3, "frames")]
    assert job.record().progress.fraction == 1.0


SAMPLES = {
    "state": {"state": "succeeded"},
    "progress": {"done": 1, "total": 1},
    "log": {"stream": "stdout", "lines": ["forged"]},
    "report": {"value": "forged"},
    "artifact": {"name": "forged", "path": "/etc/passwd"},
    "heartbeat": {"pid": 1, "elapsed_seconds": 1, "rss": 1, "cpu_seconds": 1},
    "finished": {"outcome": Outcome(state=JobState.CANCELLED)},
    "returned": {"value": "forged"},
    "raised": {"error": "forged"},
    "message": {"value": "forged"},
    "snapshot": {"state": "succeeded"},
    "tasklet": {
        "run": TaskletRun(id="forged", tasklet="notify", place="after", number=1, state=TaskletState.SUCCEEDED)
    },
    "cancel": {},
    "pause": {},
    "resume": {},
}


class Bomb:
    """It makes a file when it is read as a pickle."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.marker,)


def test_c5_nothing_that_a_program_prints_is_more_than_log_text(producer, worker, tmp_path):
    kinds = {kind.model_fields["kind"].default: kind for kind in get_args(Message)}
    assert set(kinds) == set(SAMPLES)
    stamp = messages.Stamp(job_id="1", attempt=1, at=datetime.now(UTC), position="0-1")
    forged = [encode_message(kinds[name](**facts, stamp=stamp)) for name, facts in SAMPLES.items()]
    bombs = [pickle.dumps(Bomb(tmp_path / "marker"), protocol) for protocol in (0, 2, 5)]
    framed = [
        len(data).to_bytes(size, order) + data for data in bombs for size in (4, 8) for order in ("big", "little")
    ]
    assert not (tmp_path / "marker").exists()
    (tmp_path / "all").write_bytes(b"\n".join([*bombs, *framed, *forged, b""]))
    file = shlex.quote(str(tmp_path / "all"))
    job = producer.submit(Shell(script=f"cat {file}; cat {file} >&2; sleep 1; cat {file}; echo end"))
    seen = list(job.watch(timeout=30))
    assert job.result(timeout=20).exit_code == 0
    assert [m.state for m in seen if m.kind == "state"] == ["queued", "starting", "running"]
    assert {m.kind for m in seen} <= {"snapshot", "state", "log", "heartbeat", "finished"}
    assert [m.outcome.state for m in seen if m.kind == "finished"] == ["succeeded"]
    assert (job.record().progress, job.status()) == (None, "succeeded")
    lines = {line for m in seen if m.kind == "log" for line in m.lines}
    assert {message.decode() for message in forged} <= lines
    assert not (tmp_path / "marker").exists()
    pickle.loads(bombs[0])
    assert (tmp_path / "marker").exists(), "the bomb is one"


MILLION = "seq -f 'at %.0f of 1000000 lines' 1000000"


def seconds_to_a_file(folder: Path) -> float:
    with (folder / "bare").open("wb") as stdout:
        begun = time.perf_counter()
        subprocess.run(["sh", "-c", MILLION], stdout=stdout, check=True)
        return time.perf_counter() - begun


def test_e6_a_million_lines_with_a_progress_pattern_take_little_longer_than_into_a_file(producer, worker, tmp_path):
    """Within a factor of two here, whoever else uses the machine; `bench/run.py pipe` measures what it really is."""
    bare, ours = [], []
    for _ in range(3):
        bare.append(seconds_to_a_file(tmp_path))
        job = producer.submit(Shell(script=MILLION))
        ours.append(job.wait(timeout=60).exit.elapsed_seconds)
        assert (logs_of(job) / "stdout.log").read_bytes() == (tmp_path / "bare").read_bytes()
        assert job.record().progress.done == 1_000_000
    assert min(ours) < 2 * min(bare) + 0.1


@pytest.mark.alone
@pytest.mark.slow
def test_e6_a_program_does_not_notice_that_redis_stands_still(short_folder, start_worker, other_process, tmp_path):
    folder = short_folder / "paused"
    folder.mkdir()
    server = RedisServer(folder).start()
    variables = {"OUTRIDER_BROKER_URL": server.url, "OUTRIDER_QUEUE": "paused"}
    worker = start_worker(concurrency=1, **variables)
    script = f"echo begin; touch {tmp_path}/begun; {'; '.join([MILLION] * 10)}; touch {tmp_path}/ended; echo end"
    code = "import outrider, sys; from little_tasks import Shell; print(outrider.submit(Shell(script=sys.argv[1])).id)"
    try:
        job_id = other_process(code, script, **variables).stdout.strip()
        eventually((tmp_path / "begun").exists, "the program runs")
        server.process.send_signal(signal.SIGSTOP)
        paused = time.monotonic()
        eventually((tmp_path / "ended").exists, "the program ends while Redis stands still", 10)
        time.sleep(max(0.0, paused + 10 - time.monotonic()))  # it is the pause that is tested
        server.process.send_signal(signal.SIGCONT)
        code = """
import outrider, sys
job = outrider.job(sys.argv[1])
outcome = job.wait(timeout=30)
logs = [m for m in job.watch() if m.kind == "log"]
lines = sum(len(m.lines) + m.dropped for m in logs)
print(outcome.state, len(outrider.jobs()), lines, logs[-1].lines[-1], job.record().progress.done, outcome.exit.elapsed_seconds)
"""
        printed = other_process(code, job_id, **variables).stdout.split()
        assert printed[:5] == ["succeeded", "1", "10000002", "end", "1000000.0"], worker.text()
        assert float(printed[5]) < 10 * (2 * seconds_to_a_file(tmp_path) + 0.1)
    finally:
        server.process.send_signal(signal.SIGCONT)
        worker.stop()
        server.stop()
