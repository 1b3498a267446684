"""A runner of tasklets, seen from the worker: one warm process, one call at a time."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from .runner_connection import ENDED, RunnerConnection, RunnerLost
from .signal_name import signal_name
from .sweep import ATTEMPT_COOKIE, WORKER_COOKIE
from .sweeper import Sweeper
from .tasklet_call import TaskletAnswer, TaskletEnd, TaskletRequest
from .tasklet_frames import SIGN

__all__ = ["RunnerSite", "TaskletProcess"]

#: Its modules may be on a slow file system.
_START_SECONDS = 60.0
#: A runner ends a call within milliseconds. One that does not is ended itself.
_STOP_SECONDS = 6.0
_END_SECONDS = 1.0


@dataclass(frozen=True)
class RunnerSite:
    """Where and how runners are started."""

    #: The modules that hold tasklets.
    modules: Sequence[str]
    #: The variables that every tasklet gets.
    environment: Mapping[str, str]
    #: The value of the worker's cookie.
    worker_id: str
    sweeper: Sweeper

    def start_runner(self, cookie: str, connection: int) -> "subprocess.Popen[bytes]":
        """Start a runner that finds the modules that we find; all that it starts has the cookies."""
        python = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUNBUFFERED": "1"}
        return subprocess.Popen(
            [sys.executable, "-m", "outrider.worker.tasklet_runner", *self.modules],
            stdin=connection,
            stdout=subprocess.DEVNULL,
            env={**self.environment, **python, WORKER_COOKIE: self.worker_id, ATTEMPT_COOKIE: cookie},
            start_new_session=True,  # a Ctrl-C for the worker is none for it
        )


class TaskletProcess:
    """Starts a runner, asks it, and ends it."""

    def __init__(self, site: RunnerSite) -> None:
        """Start nothing yet."""
        self._site = site
        #: By which its processes are found.
        self.cookie = f"tasklets-{uuid.uuid4().hex}"
        self._connection = RunnerConnection()
        self._popen: subprocess.Popen[bytes] | None = None
        self._busy = False

    @property
    def pid(self) -> int | None:
        """The runner's process id, once it was started."""
        return self._popen.pid if self._popen else None

    @property
    def is_open(self) -> bool:
        """Whether it can be asked, as far as we know."""
        return self._connection.is_open

    async def start(self) -> None:
        """Start the runner and return once it is ready. If that fails, `end` is still due.

        Raises:
            RunnerLost: when it does not get so far.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            await asyncio.get_running_loop().create_connection(lambda: self._connection, sock=ours)
            try:
                self._popen = self._site.start_runner(self.cookie, theirs.fileno())
            except OSError as error:
                raise RunnerLost(f"cannot be started: {error.strerror}") from error
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._connection.sign()
        except TimeoutError as error:
            raise RunnerLost(f"was not ready after {_START_SECONDS:g} s; what do its modules import?") from error

    async def ask(self, request: TaskletRequest) -> TaskletAnswer:
        """Have a tasklet called, and return what came of it.

        Raises:
            RunnerLost: when the runner is gone.
        """
        try:
            self._connection.send(request.model_dump_json().encode())
        except ValueError as error:
            return TaskletAnswer(ended=TaskletEnd.RAISED, error=f"its arguments cannot be sent: {error}")
        self._busy = True
        await self._connection.sign()
        limit = request.time_limit.total_seconds() + _STOP_SECONDS if request.time_limit else None
        try:
            async with asyncio.timeout(limit):
                frame = await self._connection.frame()
            answer = TaskletAnswer.model_validate_json(frame)
        except TimeoutError:  # the runner should have ended it
            self._connection.lose("did not end a call at its time limit")
            raise RunnerLost("did not end a call at its time limit", begun=True) from None
        except RunnerLost as lost:
            raise RunnerLost(lost.why, begun=True) from lost
        except ValidationError as error:
            raise RunnerLost("said something that makes no sense", begun=True) from error
        self._busy = False
        return answer

    async def stop(self) -> None:
        """End the call that is under way, and the runner too if it does not obey. Nothing of the call is left."""
        try:
            if self._busy:
                self._connection.send(SIGN)
                self._wake()
            async with asyncio.timeout(_STOP_SECONDS):
                while self._busy:
                    self._busy = await self._connection.frame() == SIGN
        except (TimeoutError, RunnerLost):
            await self.end()

    def _wake(self) -> None:
        """Have the runner go on, if somebody has stopped it: it is to obey."""
        if self._popen is not None:
            self._popen.send_signal(signal.SIGCONT)

    async def end(self) -> None:
        """End the runner and what it runs, and return when nothing of them is left."""
        self._connection.lose("was ended")
        if self._popen is None:
            return
        self._wake()
        if not await _collected(self._popen, _END_SECONDS):
            self._popen.kill()
            await _collected(self._popen, _STOP_SECONDS)
        if self._popen.returncode != 0:  # else it has seen to that
            await self._site.sweeper.sweep(self.cookie)

    def explain(self, error: BaseException) -> None:
        """Add to an error how the runner ended, where it did so by itself; call it after `end`."""
        code = self._popen.returncode if self._popen else None
        if isinstance(error, RunnerLost) and error.why == ENDED and code is not None:
            error.why = f"{ENDED} ({f'exit code {code}' if code >= 0 else signal_name(-code)})"


async def _collected(popen: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Wait for a child's end, and collect it; return whether it came in time."""
    if popen.poll() is not None:
        return True
    loop, pidfd = asyncio.get_running_loop(), os.pidfd_open(popen.pid)
    ended = asyncio.Event()
    loop.add_reader(pidfd, ended.set)
    try:
        async with asyncio.timeout(seconds):
            await ended.wait()
    except TimeoutError:
        pass
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)
    return popen.poll() is not None
