"""Words that an operator puts before a program's own, and that a task knows nothing of."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
import pytest
from attempts import Attempt, Shell, runs
from own_tasks import Big, Prints
from support import PROGRAMS, eventually

from outrider import Flag, Positional, Report, ThirdPartyTask
from outrider.communicators import UserMessage, Wish
from outrider.config import load_settings
from outrider.config.errors import CannotRun, SettingsError
from outrider.worker import plan_launch
from outrider.worker.launch_wrapper import LaunchWrapper, LaunchWrappers
from outrider.worker.own_child import runs_own_task
from outrider.worker.surroundings import Surroundings

DIRECTORY = Path("/jobs/1/work")
VARIABLES = {"PATH": f"{PROGRAMS}:/usr/bin:/bin"}


class Fit(ThirdPartyTask):
    executable: ClassVar[str] = "sort"
    level: Annotated[int, Flag("-l")] = 1
    file: Annotated[str, Positional()] = "{program} $x"


class FitLines(Fit):
    buffering: ClassVar[str] = "line"


class FitElsewhere(Fit):
    executable: ClassVar[str] = "only-in-the-container"


def command(words: str, task: ThirdPartyTask | None = None) -> tuple[str, ...]:
    surroundings = Surroundings(wrapper=LaunchWrappers({"*": words}).of("fit"))
    return plan_launch(task or Fit(), DIRECTORY, VARIABLES, {"OUTRIDER_JOB": "job-1"}, surroundings).argv


REST = ("-l", "1", "{program} $x")

COMMANDS = [
    ("", Fit, ("/usr/bin/sort", *REST)),
    ("nice -n 1", Fit, ("/usr/bin/nice", "-n", "1", "/usr/bin/sort", *REST)),
    ("env 'A=a b' X=", Fit, ("/usr/bin/env", "A=a b", "X=", "/usr/bin/sort", *REST)),
    ("env {program} --", Fit, ("/usr/bin/env", "/usr/bin/sort", "--", *REST)),
    ("env --exe={program}", Fit, ("/usr/bin/env", "--exe=/usr/bin/sort", *REST)),
    ("env {directory} {job_id} {task}", Fit, ("/usr/bin/env", "/jobs/1/work", "job-1", "fit", "/usr/bin/sort", *REST)),
    ("env '{{{task}}}'", Fit, ("/usr/bin/env", "{fit}", "/usr/bin/sort", *REST)),
    ("env i.sif {executable}", FitElsewhere, ("/usr/bin/env", "i.sif", "only-in-the-container", *REST)),
    ("{program} first", Fit, ("/usr/bin/sort", "first", *REST)),
    ("nice", FitLines, ("/usr/bin/nice", "/usr/bin/stdbuf", "-oL", "-eL", "/usr/bin/sort", *REST)),
    ("nice {program}", FitLines, ("/usr/bin/nice", "/usr/bin/stdbuf", "-oL", "-eL", "/usr/bin/sort", *REST)),
    ("nice {executable}", FitLines, ("/usr/bin/nice", "stdbuf", "-oL", "-eL", "sort", *REST)),
]


@pytest.mark.parametrize(("words", "task", "argv"), COMMANDS)
def test_p10_a_wrapper_stands_before_the_program_or_where_it_says(words, task, argv):
    assert command(words, task()) == argv


def test_p10_the_program_is_still_the_program():
    surroundings = Surroundings(wrapper=LaunchWrapper(("nice",)))
    assert plan_launch(Fit(), DIRECTORY, VARIABLES, {}, surroundings).program == "/usr/bin/sort"


CANNOT = [
    ("no-such-wrapper", Fit, "there is no program 'no-such-wrapper' .* OUTRIDER_LAUNCH begins with it"),
    ("nice", FitElsewhere, "there is no program 'only-in-the-container'"),
    ("env --exe={program}", FitLines, r"buffering = 'line' finds no place in '--exe=\{program\}'"),
]


@pytest.mark.parametrize(("words", "task", "why"), CANNOT)
def test_p10_what_cannot_be_started_is_refused_before(words, task, why):
    with pytest.raises(CannotRun, match=why) as refusal:
        command(words, task())
    assert refusal.value.reason == "environment"


def test_p10_the_name_comes_before_patterns_and_these_before_the_rest():
    wrappers = LaunchWrappers({"*": "a", "fit_*": "b", "*_peaks": "c", "fit_peaks": "d", "bare": ""})
    found = {name: wrappers.of(name).words for name in ("fit_peaks", "fit_lines", "find_peaks", "other", "bare")}
    assert found == {"fit_peaks": ("d",), "fit_lines": ("b",), "find_peaks": ("c",), "other": ("a",), "bare": ()}
    assert LaunchWrappers({}).of("fit").words == ()


SETTINGS = [
    ("nice -n 1", {"*": "nice -n 1"}),
    ("{program} x", {"*": "{program} x"}),
    (' { "a_*": "nice", "b": "" }', {"a_*": "nice", "b": ""}),
    ("{}", {}),
]


@pytest.mark.parametrize(("text", "wrappers"), SETTINGS)
def test_p10_wrappers_are_a_setting(monkeypatch, text, wrappers):
    monkeypatch.setenv("OUTRIDER_LAUNCH", text)
    assert load_settings().launch == wrappers


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("srun 'x", "No closing quotation"),
        ("srun {node}", r"\{node\} in '\{node\}' stands for nothing"),
        ("srun {job_id!r}", "stands for nothing"),
        ("srun {job_id", "a brace that is meant is doubled"),
        ('{"a": "srun {}"}', "stands for nothing"),
        ('{"a": 1}', "valid string"),
        ('{ "a"', "Expecting"),
    ],
)
def test_p10_a_wrapper_that_makes_no_sense_is_refused_at_the_start(monkeypatch, text, why):
    monkeypatch.setenv("OUTRIDER_LAUNCH", text)
    with pytest.raises(SettingsError, match=f"OUTRIDER_LAUNCH=.*{why}"):
        load_settings()


WRAPPERS = {
    "executes": f"{PROGRAMS}/wrap-exec",
    "forks and waits": f"{PROGRAMS}/wrap-fork",
    "env": "env WRAPPED=1",
    "nice": "nice -n 1",
    "flees": "setsid --fork --wait",
    "in a session of its own": "setsid --wait",
}


def wrapped(attempt, task, words: str) -> Attempt:
    return attempt(task, launch=LaunchWrappers({"*": words}))


@pytest.mark.parametrize("kind", WRAPPERS)
def test_p10_the_programs_words_and_its_end_come_through(attempt, kind):
    job = wrapped(attempt, Shell(script="echo 3/5 words; exit 7"), WRAPPERS[kind])
    outcome = job.run()
    assert (outcome.state, outcome.reason, outcome.exit.exit_code) == ("failed", "exit_code", 7)
    assert outcome.error == "sh ended with exit code 7"
    assert job.lines() == ["3/5 words"]
    assert job.record.run.program.endswith("/sh")
    assert job.record.run.command.startswith(("/", "nice", "setsid"))


@pytest.mark.parametrize("kind", WRAPPERS)
def test_p10_cancelling_reaches_the_program_behind_a_wrapper(attempt, kind):
    job = wrapped(
        attempt, Shell(script="trap '' TERM; sleep 3600 & echo $$; echo $!; wait; sleep 3600"), WRAPPERS[kind]
    )
    pids: list[int] = []

    async def cancel(job: Attempt) -> None:
        await job.until(lambda: len(job.lines()) == 2, "it has a child")
        pids.extend(map(int, job.lines()))
        job.ledger.wish("job-1", Wish.CANCEL)
        job.executor.upward.wake()

    begun = time.monotonic()
    assert job.run(cancel).state == "cancelled"
    assert time.monotonic() - begun < 10
    assert not [pid for pid in pids if runs(pid)]


@pytest.mark.parametrize("kind", WRAPPERS)
def test_p10_a_task_of_our_own_speaks_from_behind_a_wrapper(attempt, kind):
    job = wrapped(attempt, Big(size=80_000), WRAPPERS[kind])
    outcome = job.run()
    assert outcome.state == "succeeded", outcome.message
    result = job.executor._keeper.unpack(outcome.result)
    assert isinstance(result, np.ndarray)
    assert result.shape == (2, 5000)


IMPOSTOR = """
import os, socket, sys, pickle, struct
connection = socket.socket(socket.AF_UNIX)
connection.connect(os.environ["OUTRIDER_SOCKET"])
connection.sendall(open(sys.argv[1], "rb").read())
connection.shutdown(socket.SHUT_WR)
connection.recv(1)
"""


def test_c5_who_is_not_the_task_is_not_trusted_although_the_wrapper_started_it(attempt, tmp_path, caplog):
    """A wrapper starts somebody else before the task; his frames are refused, and the task's are not."""
    from outrider.communicators.peers.frame_dialect import FrameDialect

    (tmp_path / "frames").write_bytes(FrameDialect.BEGINNING + b"\0" * 100)
    (tmp_path / "impostor.py").write_text(IMPOSTOR)
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(f'#!/bin/sh\n{sys.executable} {tmp_path}/impostor.py {tmp_path}/frames\n"$@"\n')
    wrapper.chmod(0o755)
    job = wrapped(attempt, Big(size=800), str(wrapper))
    assert job.run().state == "succeeded"
    refusals = [record for record in caplog.records if getattr(record, "action", "") == "socket_refused"]
    assert len(refusals) == 1
    assert "only the Executor's own child may" in refusals[0].getMessage()


def test_c5_a_third_party_program_is_not_trusted_behind_a_wrapper_either(attempt, tmp_path, caplog):
    from outrider.communicators.peers.frame_dialect import FrameDialect

    (tmp_path / "frames").write_bytes(FrameDialect.BEGINNING + b"\0" * 100)
    (tmp_path / "impostor.py").write_text(IMPOSTOR)
    words = f"{sys.executable} {tmp_path}/impostor.py {tmp_path}/frames -m outrider.worker.first_party"
    job = wrapped(attempt, Shell(script=f"exec {words}"), "nice")
    assert job.run().state == "succeeded"
    assert job.said(Report) == []
    assert [record.action for record in caplog.records if hasattr(record, "action")].count("socket_refused") == 1


def process(*words: str, cookie: str = "", before: tuple[str, ...] = ()) -> tuple[subprocess.Popen[str], int]:
    """Start a process that says its id, perhaps by another one, and return what was started and the id."""
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    started = subprocess.Popen(
        [*before, sys.executable, "-c", code, *words],
        env={"OUTRIDER_ATTEMPT": cookie},
        stdout=subprocess.PIPE,
        text=True,
    )
    return started, int(started.stdout.readline())


OURS = ("-m", "outrider.worker.first_party", "m:T")
FLEES = ("/bin/sh", "-c", '"$@" & exit', "sh")

PROCESSES = {
    "the one that was started": (OURS, "", (), True),
    "its child": (OURS, "", (f"{PROGRAMS}/wrap-fork",), True),
    "one that fled, with the cookie": (OURS, "job-1/1", FLEES, True),
    "one that fled, with another's cookie": (OURS, "job-2/1", FLEES, False),
    "another program": (("-m", "outrider.worker"), "job-1/1", (), False),
    "the words apart": (("-m", "x", "outrider.worker.first_party"), "job-1/1", (), False),
}


@pytest.mark.parametrize("kind", PROCESSES)
def test_c5_the_task_is_known_by_its_words_and_where_it_comes_from(kind):
    words, cookie, before, expected = PROCESSES[kind]
    started, pid = process(*words, cookie=cookie, before=before)
    try:
        if before == FLEES:
            started.wait(5)
        assert runs_own_task(pid, started.pid, "job-1/1") is expected
    finally:
        os.kill(pid, signal.SIGKILL)
        started.wait(5)
        started.stdout.close()
    eventually(lambda: not runs(pid), "it is gone", 5)
    assert not runs_own_task(2**22 + 1, started.pid, "job-1/1")


def test_x2_a_tree_behind_a_wrapper_that_dies_early_is_swept(attempt):
    job = wrapped(attempt, Shell(script="echo $$; exec sleep 3600"), f"{PROGRAMS}/wrap-leave")
    assert job.run().state == "succeeded"
    eventually(lambda: not any(runs(int(line)) for line in job.lines()), "the program is gone", 5)


@pytest.mark.parametrize("kind", ["nice", "forks and waits"])
def test_c8_a_task_of_our_own_hears_behind_a_wrapper(attempt, kind):
    job = wrapped(attempt, Prints(), WRAPPERS[kind])

    async def send(job: Attempt) -> None:
        await job.running()
        job.ledger.send("job-1", UserMessage(value="go on"))

    assert job.run(send).state == "succeeded"
    assert job.lines() == ["printed"]
