"""One running program: started in a session of its own, waited for by pidfd, stopped as a group."""

import asyncio
import contextlib
import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterable
from datetime import timedelta
from signal import Signals

from ..communicators import Exit, fresh_file
from ..config.errors import CannotRun
from .launch import Launch
from .signal_name import signal_name
from .streams import opened_input

__all__ = ["Program"]

#: Of 1000; a worker has 0, or what its service manager gave it.
_OOM_SCORE = "500"


class Program:
    """A child process and its group. No thread waits for it: its pidfd wakes the running event loop."""

    def __init__(self, popen: "subprocess.Popen[bytes]") -> None:
        """Take over a child that was just started; use `start`."""
        self._popen = popen
        self.pid = popen.pid
        self._started = self.resumed_at = time.monotonic()
        self._paused_seconds = 0.0
        #: Whether the program stands still.
        self.paused = False
        # The kernel counts the memory of the one who forked as the child's own until it executes (exec_mmap in fs/exec.c),
        # so a peak below our own says nothing about the program.
        self._rss_floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self._ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self._pidfd = os.pidfd_open(popen.pid)
        asyncio.get_running_loop().add_reader(self._pidfd, self._reap)

    @classmethod
    def start(cls, launch: Launch, stdout: int | None, stderr: int, others: tuple[int, ...] = ()) -> "Program":
        """Start the program.

        Args:
            launch: what to start.
            stdout: the file descriptor for standard output; `None`: the launch names a file.
            stderr: the file descriptor for standard error.
            others: further file descriptors that it inherits under their numbers.

        Raises:
            CannotRun: when the system refuses.
        """
        with contextlib.ExitStack() as files:
            try:
                stdin = _kept(files, opened_input(launch.stdin)) if launch.stdin else subprocess.DEVNULL
                popen = (
                    subprocess.Popen(  # no blocking read follows: with vfork the child has started when this returns
                        launch.argv,
                        cwd=launch.directory,
                        env=launch.environment,
                        stdin=stdin,
                        stdout=_kept(files, fresh_file(launch.stdout)) if launch.stdout else stdout,
                        stderr=stderr,
                        start_new_session=True,
                        pass_fds=others,
                    )
                )
            except OSError as error:
                raise CannotRun("environment", f"cannot start {launch.argv[0]}: {_why(error, launch)}") from error
        _offer_to_oom_killer(popen.pid)
        try:
            return cls(popen)
        except OSError as error:  # no file descriptor left, say: nobody could watch it
            os.killpg(popen.pid, signal.SIGKILL)
            popen.wait()
            raise CannotRun("environment", f"cannot watch {launch.argv[0]}: {error.strerror}") from error

    @property
    def elapsed_seconds(self) -> float:
        """Wall-clock seconds since the start."""
        return time.monotonic() - self._started

    @property
    def running_seconds(self) -> float:
        """Wall-clock seconds since the start, without those that the program was paused."""
        now = self.resumed_at if self.paused else time.monotonic()
        return now - self._started - self._paused_seconds

    @property
    def has_ended(self) -> bool:
        """Whether the program has ended and was waited for."""
        return self._ended.done()

    async def wait(self) -> Exit:
        """Return how the program ended, once it has. What it left behind in its group is killed."""
        return await asyncio.shield(self._ended)

    def pause(self, others: Iterable[int]) -> None:
        """Stop the group, and those who fled from it, and the clock."""
        if not self.paused:
            self.paused, self.resumed_at = True, time.monotonic()
        self._signal_all(signal.SIGSTOP, others)

    def resume(self, others: Iterable[int]) -> None:
        """Let all of them go on."""
        self._signal_all(signal.SIGCONT, others)
        if self.paused:
            now = time.monotonic()
            self._paused_seconds += now - self.resumed_at
            self.paused, self.resumed_at = False, now

    async def stop(self, grace: timedelta) -> None:
        """Send TERM to the group, and KILL after the grace to what is left."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # a stopped process hears TERM only when it goes on
        with contextlib.suppress(
            TimeoutError
        ):  # not wait_for: on 3.11 it may swallow a cancellation when both come at once
            async with asyncio.timeout(grace.total_seconds()):
                await self.wait()
        self.kill()

    def kill(self) -> None:
        """Send KILL to the group."""
        self.signal(signal.SIGKILL)

    def signal(self, number: Signals) -> None:
        """Send a signal to the whole group, if the program has not ended."""
        if not self._ended.done():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def _signal_all(self, number: Signals, others: Iterable[int]) -> None:
        self.signal(number)
        for pid in others:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)

    def _reap(self) -> None:
        """Collect the ended program. Until this wait its id cannot be reused, so the group is still ours to kill."""
        self.kill()
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        try:
            _, status, usage = os.wait4(self.pid, 0)
        except ChildProcessError:  # somebody else has collected it
            self._popen.returncode = -signal.SIGKILL
            self._ended.set_result(Exit(signal="unknown", elapsed_seconds=self.elapsed_seconds))
            return
        self._popen.returncode = os.waitstatus_to_exitcode(status)
        returncode = self._popen.returncode
        ended = Exit(
            exit_code=returncode if returncode >= 0 else None,
            signal=signal_name(-returncode) if returncode < 0 else None,
            peak_rss=usage.ru_maxrss * 1024 if usage.ru_maxrss > self._rss_floor else 0,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            elapsed_seconds=self.elapsed_seconds,
        )
        self._ended.set_result(ended)


def _kept(files: contextlib.ExitStack, descriptor: int) -> int:
    """Return the descriptor, to be closed with the others."""
    files.callback(os.close, descriptor)
    return descriptor


def _offer_to_oom_killer(pid: int) -> None:
    """When memory runs out, the kernel shall take the program before the worker."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/oom_score_adj", "w") as score:
        score.write(_OOM_SCORE)


def _why(error: OSError, launch: Launch) -> str:
    """Return what the system says, with the file that it says it of if that is not the program."""
    about = "" if error.filename in (None, launch.argv[0]) else f": {error.filename}"
    return f"{error.strerror}{about}"
