"""The process that tasklets are forked from: `python -m outrider.worker.tasklet_runner MODULE ...`, started by a pool.

It imports the modules once and has one thread, so a fork of it is ready at once, and each call has a process of its own.
Its standard input is the socket to the pool; when that closes, it ends, and what it runs with it.
"""

import contextlib
import faulthandler
import importlib
import logging
import signal
import socket
import sys
from collections.abc import Iterable

from ..config.errors import OutriderError
from ..tasklets import Tasklets, load_tasklets
from .error_text import error_text
from .inherited_socket import take_inherited_socket
from .strays import adopt_orphans
from .tasklet_call import TaskletAnswer, TaskletEnd, TaskletRequest
from .tasklet_child import is_large
from .tasklet_fork import TaskletFork
from .tasklet_frames import SIGN, encode_frame, receive_frame

__all__ = ["main"]

#: Of 1000; a worker has 0, or what its service manager gave it.
_OOM_SCORE = "900"


def main() -> int:
    """Answer calls until the pool is gone; 1 when a call left something that cannot be killed."""
    connection = take_inherited_socket()
    _prepare()
    try:
        runner = TaskletRunner(load_tasklets(sys.argv[1:]), connection)
    except OutriderError as error:
        return _refuse_all(connection, TaskletAnswer(ended=TaskletEnd.RAISED, error=error_text(error)))
    connection.sendall(encode_frame(SIGN))
    while (frame := receive_frame(connection)) is not None:
        if frame == SIGN:  # to stop a call that has ended already
            continue
        if not runner.answer(frame):
            return 1
    runner.end()
    return 0


class TaskletRunner:
    """Has one process forked ahead, for the next call."""

    def __init__(self, tasklets: Tasklets, connection: socket.socket) -> None:
        """Fork the first one."""
        self._tasklets = tasklets
        self._connection = connection
        self._next = TaskletFork(tasklets, connection)

    def answer(self, frame: bytes) -> bool:
        """Make the call that a frame asks for; return whether all that it left could be killed."""
        request = TaskletRequest.model_validate_json(frame)
        if not self._next.is_alive:  # the kernel wanted its memory, say
            self._next.discard()
            self._next = TaskletFork(self._tasklets, self._connection)
        self._next.begin(frame, request.time_limit)
        said, clean = self._next.watch()
        _say(self._connection, TaskletAnswer(**said.model_dump(exclude={"imported"})))
        if clean:
            _import(filter(is_large, said.imported))
            self._next = TaskletFork(self._tasklets, self._connection)
        return clean

    def end(self) -> None:
        """End the one that waits."""
        self._next.discard()


def _refuse_all(connection: socket.socket, answer: TaskletAnswer) -> int:
    connection.sendall(encode_frame(SIGN))
    while (frame := receive_frame(connection)) is not None:
        if frame != SIGN:
            connection.sendall(encode_frame(SIGN))
            _say(connection, answer)
    return 0


def _say(connection: socket.socket, answer: TaskletAnswer) -> None:
    with contextlib.suppress(ConnectionError):  # the pool is gone, and so will we be
        connection.sendall(encode_frame(answer.model_dump_json().encode()))


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
