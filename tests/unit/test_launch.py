"""How a program will be started: decided before anything runs, or refused with its name."""

import contextlib
import dataclasses
import os
import threading
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest

from outrider import Flag, Output, Positional, Stdin, Stdout, ThirdPartyTask
from outrider.config.errors import CannotRun
from outrider.worker import plan_launch
from outrider.worker.file_hashes import FileIdentity, hash_file
from outrider.worker.launch import find_program, input_paths
from outrider.worker.outputs import check_inputs

COOKIES = {"OUTRIDER_JOB": "job-1", "OUTRIDER_WORKER": "worker-1"}
DIRECTORY = Path("/jobs/1/work")


class Analyse(ThirdPartyTask):
    executable: ClassVar[str] = "sh"
    environment: ClassVar[dict[str, str]] = {"THREADS": "2", "LANG": "C"}

    level: Annotated[int, Flag("-l")] = 1
    source: Annotated[Path | None, Stdin()] = None
    table: Annotated[Path | None, Stdout()] = None
    left: Annotated[Path, Output()] = Path("left.txt")

    def input_files(self):
        return {"analyse.conf": f"level {self.level}\n"}


def task_for(executable: str) -> ThirdPartyTask:
    return type(Analyse)("Example", (Analyse,), {"executable": executable, "__module__": __name__})()


def test_everything_is_decided_and_nothing_is_done(tmp_path):
    directory = tmp_path / "work"
    launch = plan_launch(
        Analyse(source="/data/in", table="table.txt"), directory, {"PATH": "/bin", "LANG": "de"}, COOKIES
    )
    assert launch.argv == ("/bin/sh", "-l", "1")
    assert launch.directory == directory
    assert (launch.stdin, launch.stdout) == (Path("/data/in"), directory / "table.txt")
    assert launch.environment == {
        "PATH": "/bin",
        "LANG": "C",
        "THREADS": "2",
        **COOKIES,
    }
    assert launch.environment_difference == {
        "LANG": "C",
        "THREADS": "2",
        **COOKIES,
    }
    assert launch.input_files == {"analyse.conf": "level 1\n"}
    assert list(tmp_path.iterdir()) == []


def test_the_same_job_gives_the_same_launch():
    launches = [plan_launch(Analyse(), DIRECTORY, {"PATH": "/bin"}, COOKIES) for _ in range(2)]
    assert launches[0] == launches[1]
    with pytest.raises(dataclasses.FrozenInstanceError):
        launches[0].argv = ()


def test_without_files_there_are_no_standard_streams():
    launch = plan_launch(Analyse(), DIRECTORY, {"PATH": "/bin"}, COOKIES)
    assert (launch.stdin, launch.stdout) == (None, None)


def test_what_every_program_inherits_is_not_changed():
    inherited = {"PATH": "/bin", "LANG": "de"}
    plan_launch(Analyse(), DIRECTORY, inherited, COOKIES)
    assert inherited == {"PATH": "/bin", "LANG": "de"}


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    for name, mode in (("runs", 0o755), ("plain", 0o644)):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(mode)
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    return tmp_path


@pytest.mark.parametrize(
    ("executable", "words"),
    [
        ("no-such-program", "there is no program 'no-such-program' on this machine; PATH is "),
        ("{}/missing", "there is no program '{}/missing'"),
        ("{}/dangling", "there is no program '{}/dangling'"),
        ("{}/plain", "{}/plain is not executable"),
        ("{}/folder", "{}/folder is not executable"),
        ("plain", "there is no program 'plain'"),
        ("folder", "there is no program 'folder'"),
        ("", "there is no program ''"),
    ],
)
def test_p4_a_program_that_cannot_run_is_refused_with_its_name(programs, executable, words):
    with pytest.raises(CannotRun) as refusal:
        plan_launch(task_for(executable.format(programs)), DIRECTORY, {"PATH": str(programs)}, COOKIES)
    assert refusal.value.reason == "environment"
    assert words.format(programs) in str(refusal.value)


@pytest.mark.parametrize("executable", ["runs", "{}/runs", "{}/folder/../runs"])
def test_a_program_is_found_by_name_or_by_path(programs, executable):
    assert find_program(executable.format(programs), str(programs)) == str(programs / "runs")


def test_a_program_of_this_pythons_environment_is_found_without_a_path():
    assert Path(find_program("pytest", "/nowhere")).name == "pytest"


def test_the_path_comes_before_this_pythons_environment(programs):
    (programs / "runs").rename(programs / "pytest")
    assert find_program("pytest", str(programs)) == str(programs / "pytest")


def test_a_program_found_on_a_relative_path_is_named_from_the_root(programs, monkeypatch):
    """It is started in another directory than this one."""
    monkeypatch.chdir(programs.parent)
    assert find_program("runs", programs.name) == str(programs / "runs")


def test_without_a_path_the_systems_is_used():
    assert os.path.basename(plan_launch(Analyse(), DIRECTORY, {}, COOKIES).argv[0]) == "sh"


def test_inputs_are_listed_in_the_order_of_the_fields():
    class Merge(ThirdPartyTask):
        executable: ClassVar[str] = "cat"
        second: Annotated[list[Path], Positional()]
        first: Annotated[Path, Flag("-f")]
        absent: Annotated[Path | None, Flag("-g")] = None
        left: Annotated[Path, Output()] = Path("left.txt")

    assert input_paths(Merge(first="a", second=["b", "c"])) == [Path("b"), Path("c"), Path("a")]


class Prints(ThirdPartyTask):
    executable: ClassVar[str] = "sh"
    level: Annotated[int, Flag("-l")] = 1


def buffered(buffering: str, **changes: Any) -> ThirdPartyTask:
    body = {"buffering": buffering, "__module__": __name__, **changes}
    return type(Prints)("Example", (Prints,), body)()


def test_p11_stdbuf_stands_before_the_program_and_is_not_it():
    launch = plan_launch(buffered("line"), DIRECTORY, {"PATH": "/usr/bin:/bin"}, COOKIES)
    assert launch.argv == ("/usr/bin/stdbuf", "-oL", "-eL", "/usr/bin/sh", "-l", "1")
    assert launch.program == "/usr/bin/sh"
    assert not launch.terminal


def test_p11_a_worker_without_stdbuf_says_so(programs):
    task = buffered("line", executable=f"{programs}/runs")
    with pytest.raises(CannotRun, match=r"there is no program 'stdbuf' .* buffering = 'line' needs it") as refusal:
        plan_launch(task, DIRECTORY, {"PATH": str(programs)}, COOKIES)
    assert refusal.value.reason == "environment"


@pytest.mark.parametrize(("variables", "term"), [({}, "dumb"), ({"TERM": "xterm"}, "xterm")], ids=["ours", "its own"])
def test_p11_a_programs_terminal_does_not_depend_on_the_workers(variables, term):
    launch = plan_launch(
        buffered("terminal", environment=variables), DIRECTORY, {"PATH": "/bin", "TERM": "vt220"}, COOKIES
    )
    assert launch.terminal
    assert launch.environment["TERM"] == launch.environment_difference["TERM"] == term
    assert launch.argv[0] == launch.program == "/bin/sh"


def test_without_a_terminal_the_variable_is_left_alone():
    assert plan_launch(Analyse(), DIRECTORY, {"TERM": "vt220"}, COOKIES).environment["TERM"] == "vt220"


class Reads(ThirdPartyTask):
    executable: ClassVar[str] = "cat"
    sources: Annotated[list[Path], Positional()]


@pytest.mark.parametrize(
    "look",
    [
        lambda path: check_inputs(Reads(sources=[path]), path.parent),
        lambda path: hash_file(FileIdentity.of(path, path.stat()), threading.Event()),
    ],
    ids=["checking", "hashing"],
)
def test_a_named_pipe_among_the_inputs_blocks_nobody(tmp_path, look):
    os.mkfifo(tmp_path / "pipe")

    def look_at_it() -> None:
        with contextlib.suppress(CannotRun):  # refusing it is fine
            look(tmp_path / "pipe")

    looking = threading.Thread(target=look_at_it, daemon=True)
    looking.start()
    looking.join(2)
    blocked = looking.is_alive()
    if blocked:  # let it go
        os.close(os.open(tmp_path / "pipe", os.O_WRONLY | os.O_NONBLOCK))
        looking.join(5)
    assert not blocked
