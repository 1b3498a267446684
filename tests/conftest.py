"""What tests stand on: a real Redis on a socket of its own, real workers as processes, little programs as tasks."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attempts import Attempt
from support import TESTS, RedisServer, Worker, eventually, run_python

from outrider import ThirdPartyTask, load_program

#: The pool of workers whose test does not ask for one; `make test` runs the fault tests with both.
DEFAULT_POOL = os.environ.get("TEST_POOL", "threads")


@pytest.fixture(scope="session")
def locks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two files that all processes of one test run know."""
    ours = tmp_path_factory.getbasetemp()
    folder = ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours
    return folder / "next", folder / "machine"


@pytest.fixture(autouse=True)
def share_of_the_machine(request: pytest.FixtureRequest, locks: tuple[Path, Path]) -> Iterator[None]:
    """Let tests run side by side, but those that are marked `alone`, whose subject is time, by themselves."""
    alone = request.node.get_closest_marker("alone") is not None
    with locks[0].open("w") as next_in_line, locks[1].open("w") as machine:
        fcntl.flock(next_in_line, fcntl.LOCK_EX)  # who waits for the whole machine is not overtaken
        fcntl.flock(machine, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(next_in_line, fcntl.LOCK_UN)
        yield


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder whose paths are short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="or-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def socket_path(short_folder: Path) -> Path:
    """A path for a private socket that is in no directory yet."""
    return Path(tempfile.mkdtemp(dir=short_folder)) / "private" / "socket"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that is allowed, with a way in and ways out."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "outside" / "deep").mkdir(parents=True)
    for folder in (root, root / "sub", tmp_path / "outside"):
        (folder / "file").write_text("content\n")
    (root / "link").symlink_to("sub/file")
    (root / "inner").symlink_to(root / "sub")
    (root / "out").symlink_to(tmp_path / "outside" / "file")
    (root / "outer").symlink_to(tmp_path / "outside")
    (root / "twice").symlink_to("outer")
    (root / "dangling").symlink_to(tmp_path / "nothing")
    (root / "loop").symlink_to("loop")
    (tmp_path / "in").symlink_to(root / "file")
    (tmp_path / "rooted").mkdir()
    (tmp_path / "rooted" / "file").write_text("its name begins like the root's\n")
    return root


@pytest.fixture
def described(tmp_path: Path) -> Callable[..., type[ThirdPartyTask]]:
    """Write a description of a program and load it."""

    def load(text: str, name: str = "sort_words.yaml") -> type[ThirdPartyTask]:
        (tmp_path / name).write_text(text)
        return load_program(tmp_path / name)

    return load


@pytest.fixture(scope="session")
def redis_server(short_folder: Path) -> Iterator[RedisServer]:
    server = RedisServer(short_folder).start()
    yield server
    server.stop()


@pytest.fixture
def own_redis(short_folder: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own, which may be restarted: its data are on disk."""
    folder = short_folder / f"own-{uuid.uuid4().hex[:6]}"
    folder.mkdir()
    server = RedisServer(folder, "--appendonly", "yes", "--appendfsync", "always").start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def environment(redis_server: RedisServer, short_folder: Path) -> Iterator[dict[str, str]]:
    """This process's environment, as producers and workers of the tests share it."""
    ours = {
        "OUTRIDER_BROKER_URL": redis_server.url,
        "OUTRIDER_WORK_ROOT": str(short_folder / "jobs"),
        "OUTRIDER_PROJECT": str(short_folder),
        "OUTRIDER_TASKS": "little_tasks,own_tasks",
        "OUTRIDER_HEARTBEAT_INTERVAL": "0.5",
        "OUTRIDER_GRACE": "1",
        "PYTHONPATH": str(TESTS),
    }
    before = dict(os.environ)
    os.environ.update(ours)
    yield ours
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def start_worker(environment: dict[str, str], short_folder: Path) -> Iterator[Callable[..., Worker]]:
    """Start a worker with options of its own; it is ready when it is returned."""
    workers: list[Worker] = []

    def start(
        *options: str, pool: str = DEFAULT_POOL, concurrency: int = 4, own_group: bool = False, **variables: str
    ) -> Worker:
        name = f"w{len(workers)}-{os.getpid()}"
        log = short_folder / f"{name}.log"
        words = ["-m", "celery", "-A", "outrider", "worker", "--without-mingle", "--without-gossip"]
        variables["OUTRIDER_POOL"] = pool
        words += [f"--concurrency={concurrency}", f"--hostname={name}@test", *options]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *words],
                env={**os.environ, **variables},
                stdout=output,
                stderr=output,
                start_new_session=own_group,
            )
        worker = Worker(process, log, f"{name}@test")
        workers.append(worker)
        eventually(lambda: " ready." in worker.text() or process.poll() is not None, f"{name} is ready", 30)
        assert process.poll() is None, worker.text()
        assert f"({ {'threads': 'thread'}.get(pool, pool) })" in worker.text(), "the pool is the one that was asked for"
        return worker

    yield start
    for worker in workers:
        worker.stop()


@pytest.fixture(scope="session")
def worker(start_worker: Callable[..., Worker]) -> Worker:
    """The worker that most tests share."""
    return start_worker()


@pytest.fixture
def producer(environment: dict[str, str]) -> Iterator[object]:
    """The package, as a producer imports it."""
    import outrider

    return outrider


@pytest.fixture
def other_process(environment: dict[str, str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python code in another process with the same settings, and some changed."""

    def run(code: str, *arguments: str, timeout: float = 60, **variables: str) -> subprocess.CompletedProcess[str]:
        return run_python("-W", "error", "-c", code, *arguments, cwd=tmp_path, timeout=timeout, **variables)

    return run


@pytest.fixture
def cli(environment: dict[str, str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line in a process of its own."""

    def run(*words: str, timeout: float = 60, **variables: str) -> subprocess.CompletedProcess[str]:
        return run_python("-m", "outrider", *words, cwd=tmp_path, timeout=timeout, COLUMNS="200", **variables)

    return run


@pytest.fixture
def attempt(tmp_path: Path) -> Callable[..., Attempt]:
    """Make an attempt of a task."""

    def make(task: ThirdPartyTask, **changes: Any) -> Attempt:
        return Attempt(tmp_path, task, **changes)

    return make
