"""One call of a tasklet, seen from the runner that forks its process: watched, ended at its limit, cleaned up after."""

import contextlib
import gc
import os
import resource
import select
import signal
import socket
import time
import warnings
from datetime import timedelta

from pydantic import ValidationError

from ..tasklets import Tasklets
from .printed import Tail, read_available
from .signal_name import signal_name
from .strays import kill_children
from .tasklet_call import TaskletEnd, TaskletSaid
from .tasklet_child import MOST_SAID, run_child
from .tasklet_frames import SIGN, encode_frame

__all__ = ["TaskletFork"]

_MOST_PRINTED = 64 * 1024
_MOST_BLOCKS = 64
#: poll(2) takes no longer wait than some weeks.
_LONGEST_POLL_SECONDS = 3600.0


class TaskletFork:
    """The process of one call, forked before there is one. Nothing that it does outlives `watch` or `discard`."""

    def __init__(self, tasklets: Tasklets, connection: socket.socket) -> None:
        """Fork.

        Args:
            tasklets: what may be called.
            connection: the pool; whatever it says during the call ends it, and so does its end.
        """
        self._connection = connection
        self._limit: float | None = None
        self._begun = time.monotonic()
        self._output, self._text = Tail(_MOST_PRINTED), bytearray()
        self._talk, talk = socket.socketpair()
        self._printed, printed = os.pipe()
        runner = os.getpid()
        self._pid = _fork()
        if self._pid == 0:
            for ours in (self._talk.detach(), self._printed, connection.fileno()):
                os.close(ours)
            run_child(tasklets, talk, printed, runner)
        talk.close()
        os.close(printed)
        os.set_blocking(self._printed, False)

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def begin(self, frame: bytes, time_limit: timedelta | None) -> None:
        """Have it make the call that a frame asks for."""
        self._limit = time_limit.total_seconds() if time_limit else None
        self._begun = time.monotonic()
        self._connection.sendall(encode_frame(SIGN))  # first: a call that may have begun is not made again
        with contextlib.suppress(ConnectionError):  # it is gone, as `watch` will find
            self._talk.sendall(encode_frame(frame))
        self._talk.setblocking(False)

    def watch(self) -> tuple[TaskletSaid, bool]:
        """Wait for the end of the call; return what came of it, and whether all that it left could be killed."""
        ended = self._wait()
        status, usage = self._end()
        elapsed = time.monotonic() - self._begun
        clean = kill_children()
        for _ in range(_MOST_BLOCKS):  # what is in the pipes; more only comes from what cannot be killed
            if not (self._take(self._talk.fileno()) | self._take(self._printed)):
                break
        self._close()
        facts = {"printed": self._output.text, "elapsed_seconds": elapsed, "peak_rss": usage.ru_maxrss * 1024}
        return self._answer(ended, os.waitstatus_to_exitcode(status)).model_copy(update=facts), clean

    def discard(self) -> None:
        """End it without a call."""
        self._end()
        self._close()

    def _end(self) -> tuple[int, resource.struct_rusage]:
        for kill in (os.kill, os.killpg):  # it has a group once it got so far, and its number until we collect it
            with contextlib.suppress(ProcessLookupError):
                kill(self._pid, signal.SIGKILL)
        _, status, usage = os.wait4(self._pid, 0)
        return status, usage

    def _close(self) -> None:
        self._talk.close()
        os.close(self._printed)

    def _wait(self) -> TaskletEnd | None:
        """Return how we ended the call, or `None` once it has ended by itself."""
        with contextlib.closing(_Watched(self._pid)) as watched:
            watched.add(self._connection.fileno(), self._talk.fileno(), self._printed)
            while True:
                left = None if self._limit is None else self._begun + self._limit - time.monotonic()
                if left is not None and left <= 0:
                    return TaskletEnd.TIMED_OUT
                ready = watched.wait(left)
                for pipe in ready & {self._talk.fileno(), self._printed}:
                    if not self._take(pipe):
                        watched.remove(pipe)
                if watched.process in ready:
                    return None
                if self._connection.fileno() in ready:
                    return TaskletEnd.STOPPED

    def _take(self, pipe: int) -> bool:
        """Take what a pipe holds; return whether there may be more."""
        data = read_available(pipe)
        if pipe == self._printed:
            self._output.add(data or b"")
        elif len(self._text) <= MOST_SAID:
            self._text += data or b""
        return bool(data)

    def _answer(self, ended: TaskletEnd | None, code: int) -> TaskletSaid:
        if ended is TaskletEnd.TIMED_OUT:
            return TaskletSaid(ended=ended, error=f"took longer than its limit of {self._limit:g} s")
        if ended is TaskletEnd.STOPPED:
            return TaskletSaid(ended=ended, error="was stopped")
        if code < 0:
            name = signal_name(-code)
            return TaskletSaid(ended=TaskletEnd.CRASHED, signal=name, error=f"crashed by {name}")
        if not self._text:
            error = f"ended with exit code {code} and said nothing"
            return TaskletSaid(ended=TaskletEnd.EXITED, exit_code=code, error=error)
        try:
            return TaskletSaid.model_validate_json(bytes(self._text))
        except ValidationError:
            return TaskletSaid(ended=TaskletEnd.CRASHED, error="what its process said makes no sense")


class _Watched:
    """File descriptors of which some are ready."""

    def __init__(self, pid: int) -> None:
        self.process = os.pidfd_open(pid)
        self._poll = select.poll()
        self.add(self.process)

    def add(self, *descriptors: int) -> None:
        for descriptor in descriptors:
            self._poll.register(descriptor, select.POLLIN)

    def remove(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)

    def wait(self, seconds: float | None) -> set[int]:
        seconds = _LONGEST_POLL_SECONDS if seconds is None else min(seconds, _LONGEST_POLL_SECONDS)
        return {ready for ready, _ in self._poll.poll(seconds * 1000)}

    def close(self) -> None:
        os.close(self.process)


def _fork() -> int:
    gc.freeze()  # what is there stays there, so collections copy no pages of it
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # Python ≥ 3.12 warns of threads; ours are those of libraries that expect a fork
        return os.fork()
