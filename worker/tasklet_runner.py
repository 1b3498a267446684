"""The process that tasklets are forked from: `python -m outrider.worker.tasklet_runner MODULE ...`, started by a pool.

It imports the modules once and has one thread, so a fork of it is ready at once, and each call has a process of its own.
Its standard input is the socket to the pool; when that closes, it ends, and what it runs with it.
"""

import contextlib
import faulthandler
import importlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterable

from ..config.errors import OutriderError
from ..tasklets import Tasklets, load_tasklets
from .error_text import error_text
from .strays import adopt_orphans
from .tasklet_call import TaskletAnswer, TaskletEnd, TaskletRequest
from .tasklet_fork import TaskletFork
from .tasklet_frames import SIGN, encode_frame, receive_frame

__all__ = ["main"]

#: Of 1000; a worker has 0, or what its service manager gave it.
_OOM_SCORE = "900"


def main() -> int:
    """Answer calls until the pool is gone; 1 when a call left something that cannot be killed."""
    connection = _take_connection()
    _prepare()
    tasklets = _load()
    connection.sendall(encode_frame(SIGN))
    while (frame := receive_frame(connection)) is not None:
        if frame == SIGN:  # to stop a call that has ended already
            continue
        answer, clean, imported = _answer(frame, tasklets, connection)
        with contextlib.suppress(ConnectionError):  # the pool is gone, and so will we be
            connection.sendall(encode_frame(answer.model_dump_json().encode()))
        if not clean:
            return 1
        _import(imported)
    return 0


def _answer(
    frame: bytes, tasklets: Tasklets | OutriderError, connection: socket.socket
) -> tuple[TaskletAnswer, bool, tuple[str, ...]]:
    request = TaskletRequest.model_validate_json(frame)
    try:
        if isinstance(tasklets, OutriderError):
            raise tasklets
        tasklet = tasklets[request.name]
    except OutriderError as error:
        connection.sendall(encode_frame(SIGN))
        return TaskletAnswer(ended=TaskletEnd.RAISED, error=error_text(error)), True, ()
    said, clean = TaskletFork(request, tasklet, connection).watch()
    return TaskletAnswer(**said.model_dump(exclude={"imported"})), clean, said.imported


def _load() -> Tasklets | OutriderError:
    """Return the tasklets, or what is to be told to whoever asks for one."""
    try:
        return load_tasklets(sys.argv[1:])
    except OutriderError as error:
        return error


def _take_connection() -> socket.socket:
    """Take the socket from standard input, where nobody else shall find it."""
    connection = socket.socket(fileno=os.dup(0))
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    return connection


def _prepare() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # whoever started us may ignore them
        signal.signal(number, signal.SIG_DFL)
    adopt_orphans()
    faulthandler.enable()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write(_OOM_SCORE)  # when memory runs out, the kernel shall take a tasklet before the worker


def _import(names: Iterable[str]) -> None:
    """Import the large libraries that a call had to import, lest each call do it again."""
    for name in names:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


if __name__ == "__main__":
    sys.exit(main())
