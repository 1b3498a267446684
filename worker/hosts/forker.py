"""The process that a `ProcessHost`'s processes are forked from: `python -m outrider.worker.hosts.forker`, started by that.

It has imported what they need and has one thread, so a fork of it is ready at once and shares its memory. Standard input is
the socket to the parent: a byte with a descriptor asks for a fork that serves on it. When the socket closes, this ends; so
do the forks, each by its own.
"""

import contextlib
import logging
import os
import select
import signal
import socket
import sys

from ..inherited_socket import take_inherited_socket
from ..strays import adopt_orphans
from . import child
from .fork_answers import ANSWER, ENDED, FORKED
from .own_forks import children

__all__ = ["main"]


def main() -> None:
    """Fork as often as the parent asks, and tell how each fork has ended, until the parent is gone."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    connection = take_inherited_socket()
    adopt_orphans()  # of forks that are lost: nobody else would find them
    forks: set[int] = set()
    woken, wakes = socket.socketpair()
    for end in (woken, wakes):
        end.setblocking(False)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the parent
    while True:
        readable, _, _ = select.select([connection, woken], [], [])
        if woken in readable:
            woken.recv(4096)
            _tell_ends(connection, forks)
        if connection in readable:
            asked, descriptors, _, _ = socket.recv_fds(connection, 1, 1)
            if not asked:
                return
            os.set_inheritable(descriptors[0], False)  # what a job starts shall not speak for its process
            _fork(connection, socket.socket(fileno=descriptors[0]), forks)


def _fork(connection: socket.socket, line: socket.socket, forks: set[int]) -> None:
    with line:
        try:
            pid = os.fork()
        except OSError as error:  # too many processes, say
            connection.sendall(ANSWER.pack(FORKED, 0, error.errno or 0))
            return
        if pid == 0:
            _become_child(connection, line)
    forks.add(pid)
    connection.sendall(ANSWER.pack(FORKED, pid, 0))


def _become_child(connection: socket.socket, line: socket.socket) -> None:
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        adopt_orphans()
        connection.close()
        child.serve(line)
        code = 0
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _tell_ends(connection: socket.socket, forks: set[int]) -> None:
    """Collect those that have ended, and kill what they have left to us."""
    with contextlib.suppress(ChildProcessError):  # none is left
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = ended
            if pid in forks:
                forks.discard(pid)
                connection.sendall(ANSWER.pack(ENDED, pid, os.waitstatus_to_exitcode(status)))
    for stray in children() - forks:
        with contextlib.suppress(ProcessLookupError):
            os.kill(stray, signal.SIGKILL)


if __name__ == "__main__":
    main()
