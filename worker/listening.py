"""Whom an Executor listens to while a program runs, as its task describes it."""

import asyncio
import logging
import time
from functools import partial
from pathlib import Path

from ..communicators import (
    FileGrowthCommunicator,
    JsonLines,
    Message,
    PipeCommunicator,
    ProgramCommunicator,
    ProgressPattern,
    ProgressReader,
    ProgressTally,
    SocketCommunicator,
    Stream,
    UserMessage,
)
from ..config.errors import OutriderError
from ..tasks import FileGrowth, JsonProgress, Tally, Task, TaskDescription, ThirdPartyTask
from .job_directory import JobDirectory
from .keeper import Keeper
from .launch import Launch
from .own_child import runs_own_task
from .sweep import ATTEMPT_COOKIE

__all__ = ["Listening"]

logger = logging.getLogger(__name__)


class Listening:
    """The communicators between an Executor and its program."""

    def __init__(
        self, task: TaskDescription, launch: Launch, directory: JobDirectory, socket: Path, keeper: Keeper
    ) -> None:
        """Choose them; nothing is opened yet."""
        self._own = isinstance(task, Task)
        self._is_wrapped = launch.is_wrapped
        self._attempt = launch.environment.get(ATTEMPT_COOKIE, "")
        self._keeper = keeper
        self._job_id = directory.job.name
        self.pipe = _pipe(task, launch, directory)
        self._socket = SocketCommunicator(socket, {"job_id": directory.job.name})
        self.all: tuple[ProgramCommunicator, ...] = (self.pipe, self._socket, *_growth(task, directory))

    async def open(self) -> None:
        """Make all of them ready.

        Raises:
            CannotRun: when the system refuses.
        """
        for communicator in self.all:
            await communicator.open()

    def hand_over(self, pid: int) -> None:
        """The program has been started: it has its ends of the pipes, and if it is ours it may send objects."""
        self.pipe.hand_over()
        if self._own and self._is_wrapped:
            self._socket.trust_first(partial(runs_own_task, started=pid, attempt=self._attempt))
        elif self._own:
            self._socket.trust(pid)

    @property
    def last_output(self) -> float:
        """When the program was last heard, by the monotonic clock."""
        return max(communicator.last_output for communicator in self.all)

    async def tell(self, message: Message) -> None:
        """Tell the program; one of ours gets a producer's value as it was, others get it as it travelled."""
        if self._own and isinstance(message, UserMessage):
            message = await asyncio.to_thread(self._unpacked, message)
        for communicator in self.all:
            await communicator.write(message)

    def abandon(self) -> None:
        """Keep nothing more of what the program says: it is to end now."""
        self._keeper.abandon()

    async def drain(self, timeout_seconds: float) -> None:
        """Take what was said until now, and listen no more; wait so long for those who still hold a line."""
        deadline = time.monotonic() + timeout_seconds
        for communicator in self.all:
            await communicator.wait_drained(max(deadline - time.monotonic(), 0.0))
            await communicator.close()

    def _unpacked(self, message: UserMessage) -> UserMessage:
        try:
            return message.model_copy(update={"value": self._keeper.unpack(message.value)})
        except OutriderError as error:
            logger.warning(
                "a message cannot be unpacked: %s", error, extra={"action": "not_unpacked", "job_id": self._job_id}
            )
            return message

    async def close(self) -> None:
        """Let go of all of them."""
        for communicator in self.all:
            await communicator.close()


def _pipe(task: TaskDescription, launch: Launch, directory: JobDirectory) -> PipeCommunicator:
    """Return what keeps and relays the program's output: both streams, or standard error alone if a file has the other."""
    files = {"stderr": directory.stderr, "stdout": directory.stdout}
    streams: list[Stream] = ["stderr"] if launch.stdout else ["stderr", "stdout"]
    terminals: list[Stream] = ["stdout"] if launch.terminal else []
    return PipeCommunicator({name: files[name] for name in streams}, _progress_reader(task), terminals=terminals)


def _growth(task: TaskDescription, directory: JobDirectory) -> list[FileGrowthCommunicator]:
    """Return what watches a file that grows, if the task says that it does."""
    growth = task.progress if isinstance(task, ThirdPartyTask) else None
    if not isinstance(growth, FileGrowth) or (staged := task.staged_outputs().get(growth.field)) is None:
        return []
    expected = partial(growth.expected_bytes, task)
    return [FileGrowthCommunicator(directory.work / staged, expected, growth.interval.total_seconds())]


def _progress_reader(task: TaskDescription) -> ProgressReader | None:
    match task.progress if isinstance(task, ThirdPartyTask) else None:
        case str(pattern):
            return ProgressPattern(pattern)
        case JsonProgress(done, total, unit):
            return JsonLines(done, total, unit)
        case Tally() as tally:
            ask = partial(tally.total_for, task)
            return ProgressTally(tally.pattern, ask if callable(tally.total) else ask(), tally.unit)
        case _:
            return None
