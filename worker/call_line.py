"""Between an Executor and a function in its own process."""

import asyncio
import contextlib
import itertools
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from ..communicators import Artifact, Cancel, Communicator, Message, Progress, Report, UserMessage
from ..tasks import Channel

__all__ = ["CallLine"]

#: Messages that may wait for the Executor; then a function in another thread waits as well.
_MOST_WAITING = 1000
_WAIT_SECONDS = 0.001
#: Progress that follows other progress sooner is held back; the newest is told after this long.
_PROGRESS_SECONDS = 0.02


class CallLine(Communicator):
    """The Executor's end, on its event loop; `channel` is the other, for whatever thread the function runs in.

    A function may be interrupted anywhere, also while it says something, so it holds no lock: what is between two of its
    steps is one call into C.
    """

    def __init__(self, copies: Path) -> None:
        """Keep copies of the files that are to be kept in a folder, which need not exist yet."""
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._said: SimpleQueue[Message] = SimpleQueue()
        self._news = asyncio.Event()
        self._ended = False
        self.channel = CallChannel(self, copies)

    @property
    def is_here(self) -> bool:
        """Whether this is asked on the Executor's own loop."""
        return threading.get_ident() == self._loop_thread

    async def open(self) -> None:
        """It is open from the start."""

    async def read(self) -> Message | None:
        """Return what the function says next, or `None` once it has ended."""
        while True:
            self._news.clear()
            with contextlib.suppress(Empty):
                message = self._said.get_nowait()
                if isinstance(message, Progress):
                    self._loop.call_later(_PROGRESS_SECONDS, self.channel.tell_progress)
                return message
            if self._ended:
                return None
            await self._news.wait()

    async def write(self, message: Message) -> None:
        """Tell the function."""
        match message:
            case Cancel():
                self.channel.cancel()
            case UserMessage(value=value):
                self.channel.deliver(value)

    async def close(self) -> None:
        """The function has ended: what it has said can still be read."""
        self.channel.tell_progress()
        self._end()

    def abandon(self) -> None:
        """The function goes on, and nobody cares: what it has said and was not read is dropped."""
        with contextlib.suppress(Empty):
            while True:
                self._said.get_nowait()
        self._end()

    def _end(self) -> None:
        self._ended = True
        self._news.set()

    def say(self, message: Message) -> None:
        """Take what the function says, until its job ends; in another thread it waits while very much is unread."""
        if self._ended:
            return
        if not self.is_here:
            while self._said.qsize() >= _MOST_WAITING and not self._ended:
                time.sleep(_WAIT_SECONDS)
        self._said.put(message)
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody listens any more
            self._loop.call_soon_threadsafe(self._news.set)


class CallChannel(Channel):
    """The function's end."""

    def __init__(self, line: CallLine, copies: Path) -> None:
        """Speak through a line."""
        super().__init__()
        self._line = line
        self._copies = copies
        self._count = itertools.count()
        self._progress: Progress | None = None
        self._progress_at = 0.0

    def report(self, value: Any) -> None:
        """Send an object."""
        self.tell_progress()
        self._line.say(Report(value=value, source="task"))

    def progress(self, done: float, total: float = 0.0, unit: str = "") -> None:
        """Say how far the function is."""
        self._progress = Progress(done=done, total=total, unit=unit, source="task")
        if time.monotonic() - self._progress_at > _PROGRESS_SECONDS:
            self.tell_progress()

    def tell_progress(self) -> None:
        """Send the newest progress, if that was not sent yet."""
        newest, self._progress = self._progress, None
        if newest is not None:
            self._progress_at = time.monotonic()
            self._line.say(newest)

    def messages(self, timeout: float | None = None) -> Iterator[Any]:
        """Yield messages, as `Channel.messages` does; on the coordinator's own event loop only what is there.

        Raises:
            RuntimeError: when a coroutine would hold up that loop.
        """
        if timeout != 0 and self._line.is_here:
            raise RuntimeError("messages() would hold up the event loop: use messages(timeout=0), or a plain function")
        return super().messages(timeout)

    def artifact(self, path: Path | str, name: str = "") -> None:
        """Send a copy of a file: the function may go on to change its own."""
        self._copies.mkdir(parents=True, exist_ok=True)
        copy = self._copies / f"{next(self._count)}{Path(path).suffix}"
        shutil.copyfile(path, copy)
        self._line.say(Artifact(name=name or Path(path).name, path=copy, source="task"))
