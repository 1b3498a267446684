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
from . import child
from .fork_answers import ANSWER, ENDED, FORKED

__all__ = ["main"]


def main() -> None:
    """Fork as often as the parent asks, and tell how each fork has ended, until the parent is gone."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    connection = take_inherited_socket()
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
            _tell_ends(connection)
        if connection in readable:
            asked, descriptors, _, _ = socket.recv_fds(connection, 1, 1, socket.MSG_CMSG_CLOEXEC)
            if not asked:
                return
            _fork(connection, socket.socket(fileno=descriptors[0]))


def _fork(connection: socket.socket, line: socket.socket) -> None:
    with line:
        if (pid := os.fork()) == 0:
            _become_child(connection, line)
    connection.sendall(ANSWER.pack(FORKED, pid, 0))


def _become_child(connection: socket.socket, line: socket.socket) -> None:
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        connection.close()
        child.serve(line)
        code = 0
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _tell_ends(connection: socket.socket) -> None:
    with contextlib.suppress(ChildProcessError):  # none is left
        while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(
                    found.si_pid, signal.SIGKILL
                )  # what it has forked; its id is nobody else's before we collect it
            _, status = os.waitpid(found.si_pid, 0)
            connection.sendall(ANSWER.pack(ENDED, found.si_pid, os.waitstatus_to_exitcode(status)))


if __name__ == "__main__":
    main()
