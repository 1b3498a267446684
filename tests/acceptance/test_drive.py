"""`outrider drive`: a program in any language submits jobs and hears of them, by lines of JSON."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from driving import Drive
from support import TESTS, eventually

PAGE = (TESTS.parent / "docs" / "drive.md").read_text()
LONG = {"script": "echo started; sleep 77"}


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest):
    """Start sessions that end with the test."""
    sessions: list[Drive] = []

    def begin(*options: str, **variables: str) -> Drive:
        folder = tmp_path / f"session{len(sessions)}"
        folder.mkdir()
        sessions.append(session := Drive(folder, *options, **variables))
        session.wait("ready", seconds=30)
        return session

    yield begin
    for session in sessions:
        session.stop()


def tree_of(session: Drive) -> set[psutil.Process]:
    """The processes that a session has started, and those that these have."""
    return set(psutil.Process(session.process.pid).children(recursive=True))


def gone(processes: set[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != "zombie" for process in processes)


def running(session: Drive, job_id: str) -> None:
    session.wait("status", job=job_id, state="running")


def block(language: str, after: str) -> str:
    """Return the first block of code in a language behind some words of the page."""
    return re.search(rf"{re.escape(after)}.*?```{language}\n(.*?)```", PAGE, re.DOTALL)[1]


# The page


#: Facts of a line that differ from run to run: all that is compared is whether they are there, if so.
_VARIES = ("pid", "version", "elapsed", "rss", "cpu")


def likened(line: Any, ids: dict[str, str]) -> Any:
    """Return a line with ids as the page has them, and without the values that vary."""
    if isinstance(line, list):
        return [likened(item, ids) for item in line]
    if not isinstance(line, dict):
        return line
    found = {key: likened(value, ids) for key, value in line.items()}
    for key in _VARIES:
        if isinstance(found.get(key), int | float | str):
            found[key] = "…"
    if "message" in found:  # the test has asked for more than the page
        found["message"] = re.sub(r"^line \d+ ", "line … ", found["message"])
    if found.get("job") in ids:
        found["job"] = ids[found["job"]]
    return found


class Page:
    """Goes through the session on the page: says what the driver says there, and compares what it reads."""

    def __init__(self, session: Drive) -> None:
        self.session = session
        self.ids: dict[str, str] = {}
        self.seen = 0

    def say(self, line: str) -> None:
        actual = {shown: job for job, shown in self.ids.items()}
        self.session.write(re.sub(r"[0-9a-f]{8}-…", lambda found: actual[found[0]], line).encode() + b"\n")

    def read(self, expected: dict[str, Any]) -> None:
        session = self.session
        eventually(lambda: len(session.lines) > self.seen, f"{expected} comes after {session.lines}")
        told = session.lines[self.seen]
        self.seen += 1
        if told["kind"] == "accepted":
            self.ids[told["job"]] = expected["job"]
        assert likened(told, self.ids) == likened(expected, {})

    def wait_for_heartbeat(self, shown: str) -> None:
        """Ask until it has come; the lines are none of the page."""
        (job,) = [job for job, known_as in self.ids.items() if known_as == shown]
        eventually(lambda: self.session.answered("status", job=job)["rss"], "there was a heartbeat")
        self.seen = len(self.session.lines)


def test_the_session_on_the_page_goes_as_it_is_written(start, tmp_path):
    (tmp_path / "reduce.yaml").write_text(block("yaml", "With this description"))
    command, *lines = block("text", "What the driver writes").splitlines()
    words = command.split()
    assert words[:3] == ["$", "outrider", "drive"]
    session = start(*words[3:], OUTRIDER_TASKS=str(tmp_path / "reduce.yaml"), OUTRIDER_HEARTBEAT_INTERVAL="0.2")
    page = Page(session)
    for line in lines:
        if line.startswith("< "):
            page.read(json.loads(line[2:]))
            continue
        if '"list"' in line:  # whose answer has what a heartbeat has measured
            page.wait_for_heartbeat("32028ad3-…")
        page.say(line.removeprefix("> "))
    assert session.end() == 0
    assert len(session.lines) == page.seen
    assert len(page.ids) == 3


def test_the_example_in_a_shell_works_as_written(environment, tmp_path):
    (tmp_path / "reduce.yaml").write_text(block("yaml", "With this description"))
    (tmp_path / "reduce.sh").write_text(block("sh", "## In a shell"))
    words = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OUTRIDER_TASKS": "reduce.yaml"}
    words["OUTRIDER_PROJECT"] = str(tmp_path)
    done = subprocess.run(
        ["sh", "reduce.sh"], cwd=tmp_path, env={**os.environ, **words}, capture_output=True, text=True, timeout=60
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout == block("text", "prints")


def test_the_page_names_each_kind_of_line_and_each_field_of_a_request():
    from outrider.client.driver import protocol

    for name in protocol.__all__:
        model = getattr(protocol, name)
        if not name.endswith(("Request", "Line")) or name == "Request":
            continue
        kind = model.model_fields["kind"].annotation.__args__[0]
        assert f"`{kind}`" in PAGE
        for field in set(model.model_fields) - {"kind", "ref"} if name.endswith("Request") else ():
            assert re.search(rf"`{field}[`:]", PAGE), field


# Jobs


@pytest.mark.parametrize("strategy", ["asyncio", "thread", "process"])
def test_x7_of_four_jobs_three_end_badly_and_the_others_go_on(start, strategy):
    session = start(f"--strategy={strategy}", "--concurrency=5", "--status-interval=0.2")
    good = [session.submit("shell", script=f"echo at 1 of 2 frames; sleep 3; echo {n}") for n in range(2)]
    crash = session.submit("shell", script="echo why >&2; kill -SEGV $$")
    late = session.submit("shell", **LONG, job={"limits": {"run": "0.5s"}})
    cancelled = session.submit("shell", **LONG)
    running(session, cancelled)
    session.ask("cancel", job=cancelled)
    ends = {job: session.wait("finished", job=job) for job in (crash, late, cancelled, *good)}
    assert [ends[job]["state"] for job in (crash, late, cancelled)] == ["failed", "timed_out", "cancelled"]
    assert (ends[crash]["reason"], ends[crash]["signal"], ends[crash]["stderr_tail"]) == ("signal", "SIGSEGV", ["why"])
    assert [ends[job]["state"] for job in good] == ["succeeded"] * 2
    for job in good:
        assert session.wait("progress", job=job)["fraction"] == 0.5
        measured = [line for line in session.find("status", job=job) if line["rss"] and line["elapsed"] > 0.3]
        assert len(measured) >= 3, "a running job's status is told again and again"
        assert measured[-1]["progress"] == {"done": 1.0, "total": 2.0, "unit": "frames"}
    session.close_input()
    assert session.end() == 0
    assert session.lines[-1]["jobs"] == {"failed": 1, "timed_out": 1, "cancelled": 1, "succeeded": 2}
    session.check_story()


def test_j8_each_result_is_told_as_json(start):
    session = start()
    for value in (None, 0, "", False, [], {"a": [1, None]}, "two\nlines"):
        end = session.wait("finished", job=session.submit("returns", value=value))
        assert (end["state"], end["result"], type(end["result"])) == ("succeeded", value, type(value))
    end = session.wait("finished", job=session.submit("big", size=800_000))
    assert re.fullmatch(r"array int64 \(2, 50000\), 800000 bytes, \S+", end["result"]), "an array is described"
    end = session.wait("finished", job=session.submit("shell_with_output", script="echo made > made.txt"))
    assert end["result"] == "made\n"
    assert Path(end["outputs"]["output"]).read_text() == "made\n"


def test_x2_cancel_leaves_no_process(start):
    session = start()
    job = session.submit("shell", script="setsid sleep 7731.5 & trap '' TERM; sleep 7731.5; sleep 7731.5")

    def sleeping() -> list[psutil.Process]:
        return [
            process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == ["sleep", "7731.5"]
        ]

    eventually(lambda: len(sleeping()) == 2, "two processes sleep")
    assert session.answered("cancel", job=job)["state"] == "running"
    assert session.wait("finished", job=job)["state"] == "cancelled"
    eventually(lambda: not sleeping(), "none of them is left", 3)
    assert session.answered("cancel", job=job)["state"] == "cancelled", "once more changes nothing"
    assert session.answered("cancel", job="no-such-job")["error"] == "JobNotFound"


def test_c8_pause_resume_and_send_reach_the_task(start):
    session = start()
    job = session.submit("listens")
    running(session, job)
    session.ask("pause", job=job)
    session.wait("status", job=job, state="paused")
    session.ask("resume", job=job)
    eventually(lambda: session.find("status", job=job)[-1]["state"] == "running", "it goes on")
    for value in (40, 2, "stop"):
        assert session.answered("send", job=job, value=value)["kind"] == "status"
    assert session.wait("finished", job=job)["result"] == 42
    assert session.answered("send", job=job, value=1)["error"] == "JobClosed"
    assert session.answered("pause", job=job)["state"] == "succeeded"


def test_tasklets_limits_and_keys_go_along(start):
    session = start()
    job = {"after": ["checksum made.txt"], "limits": {"run": "1m"}, "idempotency_key": "once"}
    first = session.submit("shell_with_output", script="echo made > made.txt", job=job)
    assert session.wait("finished", job=first)["state"] == "succeeded"
    again = session.answered("submit", task="shell_with_output", parameters={"script": "echo made > made.txt"}, **job)
    assert (again["kind"], again["job"], again["again"]) == ("accepted", first, True)
    other = session.answered("submit", task="shell", parameters={"script": "true"}, **job)
    assert other["error"] == "IdempotencyKeyReused"
    assert session.answered("submit", task="sum", after=["chekcsum"])["error"] == "InvalidParameters"
    good = {"left": 1, "right": 2}
    assert session.answered("submit", task="sum", parameters=good, after=["chekcsum x"])["error"] == "UnknownTasklet"
    assert "did you mean 'sum'" in session.answered("submit", task="summ")["message"]
    assert session.answered("list")["jobs"] == []
    assert [line["job"] for line in session.answered("list", all=True)["jobs"]] == [first]


# The queue


def test_q2_a_submit_that_waits_holds_up_nothing_but_other_submits(start):
    session = start("--concurrency=1", "--max-queued=2")
    jobs = [session.submit("shell", **LONG) for _ in range(3)]
    assert session.answered("submit", task="shell", parameters=LONG)["error"] == "QueueFull"
    began = time.monotonic()
    late = session.answered("submit", task="shell", parameters=LONG, block=True, timeout=0.4)
    assert (late["error"], time.monotonic() - began > 0.4) == ("QueueFull", True)
    session.ask("submit", ref="waits", task="shell", parameters=LONG, block=True)
    session.ask("submit", ref="behind", task="shell", parameters=LONG)
    session.ask("submit", ref="wrong", task=4)
    began = time.monotonic()
    assert session.answered("status", job=jobs[0])["state"] in ("starting", "running")
    assert [line["state"] for line in session.answered("list")["jobs"]][1:] == ["queued", "queued"]
    assert time.monotonic() - began < 2, "each took less than a second"
    assert not session.find(ref="waits")
    assert session.answered("cancel", job=jobs[1])["state"] == "cancelled"
    assert session.wait(ref="waits")["kind"] == "accepted"
    assert session.wait(ref="behind")["error"] == "QueueFull"
    assert session.wait(ref="wrong")["error"] == "InvalidRequest"
    refs = [line["ref"] for line in session.lines if line.get("ref") in ("waits", "behind", "wrong")]
    assert refs == ["waits", "behind", "wrong"]
    session.ask("submit", ref="at the end", task="shell", parameters=LONG, block=True)
    session.ask("shutdown")
    assert session.end() == 0
    assert session.find(ref="at the end")[0]["error"] == "CoordinatorClosed"
    session.check_story()


# The end


def served(*lines: str, words: tuple[str, ...] = (), **variables: str) -> subprocess.CompletedProcess[str]:
    """Give all requests at once."""
    return subprocess.run(
        [sys.executable, "-m", "outrider", "drive", *words],
        input="\n".join(lines),
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("strategy", ["asyncio", "thread", "process"])
def test_all_jobs_are_carried_out_when_the_input_ends(environment, strategy):
    request = {"kind": "submit", "task": "sum", "block": True}
    lines = [json.dumps({**request, "ref": n, "parameters": {"left": n, "right": 1}}) for n in range(12)]
    done = served(*lines, words=(f"--strategy={strategy}", "--concurrency=2", "--max-queued=3"))
    assert (done.returncode, done.stderr) == (0, "")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    accepted = {line["job"]: line["ref"] for line in told if line["kind"] == "accepted"}
    assert list(accepted.values()) == list(range(12))
    results = {accepted[line["job"]]: line["result"] for line in told if line["kind"] == "finished"}
    assert results == {n: n + 1 for n in range(12)}
    assert told[-1] == {"kind": "closed", "reason": "end_of_input", "jobs": {"succeeded": 12}, "dropped": 0}


@pytest.mark.parametrize(
    ("words", "variables", "code", "sentence"),
    [
        ((), {"OUTRIDER_TASKS": "no_such_module"}, 1, "no_such_module"),
        ((), {"OUTRIDER_GRACE": "soon"}, 1, "OUTRIDER_GRACE='soon'"),
        (("--strategy=celery",), {"OUTRIDER_BROKER_URL": "redis://127.0.0.1:1"}, 1, "Redis at redis://127.0.0.1:1"),
        (("--strategy=celery", "--concurrency=2"), {}, 2, "leave out --concurrency"),
        (("--strategy=fork",), {}, 2, "'fork' is not one of"),
    ],
)
def test_what_cannot_be_served_is_said_on_standard_error(environment, words, variables, code, sentence):
    done = served('{"kind":"list"}', words=words, **variables)
    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("strategy", ["asyncio", "thread", "process"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_session_and_leaves_no_process(start, strategy, number):
    session = start(f"--strategy={strategy}", "--concurrency=2")
    jobs = [session.submit("shell", **LONG) for _ in range(3)]
    for job in jobs[:2]:
        running(session, job)
    processes = tree_of(session)
    session.process.send_signal(number)
    assert session.end() == 0
    assert gone(processes)
    assert [session.find("finished", job=job)[0]["state"] for job in jobs] == ["cancelled"] * 3
    assert (session.lines[-1]["kind"], session.lines[-1]["reason"]) == ("closed", "signal")
    session.check_story()


def test_x6_running_jobs_have_the_grace_and_a_second_signal_ends_it(start):
    session = start("--concurrency=2", "--grace=60")
    short, long = session.submit("shell", script="echo at 1 of 1 go; sleep 1"), session.submit("shell", **LONG)
    queued = session.submit("shell", **LONG)
    running(session, long)
    session.wait("progress", job=short)
    session.process.send_signal(signal.SIGTERM)
    assert session.wait("finished", job=queued)["state"] == "cancelled"
    assert session.answered("submit", task="shell", parameters=LONG)["error"] == "CoordinatorClosed"
    assert session.wait("finished", job=short)["state"] == "succeeded"
    assert session.answered("status", job=long)["state"] == "running"
    session.process.send_signal(signal.SIGTERM)
    assert session.end() == 0
    assert session.find("finished", job=long)[0]["state"] == "cancelled"
    session.check_story()


def test_shutdown_has_a_grace_and_its_answer_is_the_last_line(start):
    session = start()
    job = session.submit("shell", script="echo at 1 of 1 go; sleep 1")
    session.wait("progress", job=job)
    session.ask("shutdown", ref="bye", grace=30)
    assert session.end() == 0
    assert session.find("finished", job=job)[0]["state"] == "succeeded"
    assert session.lines[-1] == {
        "kind": "closed",
        "ref": "bye",
        "reason": "shutdown",
        "jobs": {"succeeded": 1},
        "dropped": 0,
    }


@pytest.mark.parametrize("strategy", ["asyncio", "thread", "process"])
def test_a_session_that_is_killed_leaves_no_process(start, strategy):
    session = start(f"--strategy={strategy}")
    running(session, session.submit("shell", **LONG))
    processes = tree_of(session)
    assert len(processes) >= 2
    session.process.kill()
    eventually(lambda: gone(processes), "all have ended", 10)


def test_all_jobs_are_cancelled_when_nobody_can_read_the_answers(start):
    session = start("--status-interval=60")
    running(session, session.submit("shell", **LONG))
    processes = tree_of(session)
    session.leave()
    assert session.process.wait(20) == 1
    assert gone(processes)


# Whatever comes in, and whatever is printed


def test_what_is_no_request_costs_an_error_line_and_nothing_else(start):
    session = start()
    garbage = [
        b"x",
        b"[1]",
        b"\xff\xfe",
        b"{" * 9000,
        b'{"kind":"submit","task":"sum","parameters":{"left":NaN}}',
        b"0",
    ]
    session.write(b"\n".join([*garbage, b"y" * (2**20 + 1), b"", b" "]) + b"\n")
    session.wait(kind="error", message="line 7 is no request: it is longer than 1048576 bytes")
    end = session.wait("finished", job=session.submit("sum", left=1, right=2))
    assert end["result"] == 3
    assert [line["error"] for line in session.find("error")] == ["InvalidRequest"] * 7
    session.write(b'{"kind":"list","ref":"no newline at the end"}')
    session.close_input()
    assert session.end() == 0
    assert session.find("jobs", ref="no newline at the end")
    assert session.stderr.read_text() == ""


NOISY = """
import os, sys
print("printed at import")
os.write(1, b"written at import\\n")
os.system("echo by a child at import")
assert sys.stdin.read() == "", "requests are not for modules"
import outrider
from little_tasks import Shell
class Noisy(Shell):
    def read_result(self, run):
        print("printed later", flush=True)
        os.system("echo by a child later")
        return run.stdout
"""


@pytest.mark.parametrize("strategy", ["asyncio", "thread", "process"])
def test_standard_output_is_the_protocols_alone(start, tmp_path, strategy):
    (tmp_path / "noisy.py").write_text(NOISY)
    session = start(f"--strategy={strategy}", OUTRIDER_TASKS="noisy", PYTHONPATH=f"{tmp_path}:{TESTS}")
    end = session.wait("finished", job=session.submit("noisy", script="echo the program; cat"))
    assert end["result"] == "the program\n"
    session.close_input()
    assert session.end() == 0
    printed = session.stderr.read_text()
    for words in (
        "printed at import",
        "written at import",
        "by a child at import",
        "printed later",
        "by a child later",
    ):
        assert words in printed


def test_a_driver_that_does_not_read_holds_up_no_job(start, tmp_path):
    session = start("--logs", "--concurrency=4", "--status-interval=0.01")
    chatty = (
        f"for n in $(seq 150); do for m in $(seq 20); do echo line $m of $n; done; sleep 0.03; done; touch {tmp_path}/"
    )
    session.reading.clear()
    for n in range(4):
        session.ask("submit", ref=n, task="shell", parameters={"script": f"{chatty}{n}"})
    eventually(lambda: all((tmp_path / str(n)).exists() for n in range(4)), "all jobs have gone on to their end", 30)
    session.reading.set()
    session.close_input()
    assert session.end() == 0
    assert [line["ref"] for line in session.find("accepted")] == list(range(4))
    assert [line["state"] for line in session.find("finished")] == ["succeeded"] * 4
    assert session.lines[-1]["dropped"] > 0
    session.check_story()


# On the cluster


def kinds_of(session: Drive) -> tuple[list[str], list[str], str]:
    """Have one job succeed, one fail and one cancelled, and return what is told of each."""
    good = session.submit("shell", script="for n in 1 2; do echo at $n of 2 frames; sleep 0.7; done")
    bad = session.submit("shell", script="echo why >&2; exit 3")
    cancelled = session.submit("shell", **LONG)
    running(session, cancelled)
    assert session.answered("status", job=cancelled)["state"] == "running"
    session.ask("cancel", job=cancelled)
    ends = [session.wait("finished", job=job) for job in (good, bad, cancelled)]
    assert session.wait("status", job=good)["task"] == "shell"
    session.check_story()
    return (
        [(end["state"], end["reason"], end["exit_code"], end["stderr_tail"], sorted(end)) for end in ends],
        sorted({(line["kind"], *sorted(line)) for line in session.lines if line.get("job") == good}),
        session.answered("cancel", job="no-such-job")["error"],
    )


def test_k2_the_cluster_gives_the_same_lines(start, worker):
    here, there = start("--status-interval=0.5"), start("--strategy=celery", "--status-interval=0.5")
    assert kinds_of(there) == kinds_of(here)
    session = there
    value = session.submit("sum", left=40, right=2)
    assert session.wait("finished", job=value)["result"] == 42
    session.close_input()
    assert session.end() == 0
    assert session.lines[-1]["jobs"] == {"succeeded": 2, "failed": 1, "cancelled": 1}


def test_jobs_of_the_cluster_are_cancelled_by_a_signal(start, worker):
    session = start("--strategy=celery")
    job = session.submit("shell", **LONG)
    running(session, job)
    session.process.send_signal(signal.SIGTERM)
    assert session.end() == 0
    assert session.find("finished", job=job)[0]["state"] == "cancelled"


def test_a_job_of_a_cluster_that_does_not_answer_is_left(start, own_redis):
    session = start("--strategy=celery", OUTRIDER_BROKER_URL=own_redis.url)
    job = session.submit("shell", **LONG)
    own_redis.stop()
    session.process.send_signal(signal.SIGTERM)
    assert session.end(60) == 1
    assert session.find("left", job=job)
    assert session.lines[-1]["jobs"] == {"queued": 1}
    session.check_story()
