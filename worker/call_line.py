"""Between an Executor and a function in its own process."""

import asyncio
import itertools
import shutil
import threading
from collections import deque
from pathlib import Path
from typing import Any

from ..communicators import Artifact, Cancel, Communicator, Message, Progress, Report, UserMessage
from ..tasks import Channel

__all__ = ["CallLine"]

#: Messages that may wait for the Executor; then a function in another thread waits as well.
_MOST_WAITING = 1000


class CallLine(Communicator):
    """The Executor's end, on its event loop; `channel` is the other, for whatever thread the function runs in."""

    def __init__(self, copies: Path) -> None:
        """Keep copies of the files that are to be kept in a folder, which need not exist yet."""
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._room = threading.Condition()
        self._said: deque[Message] = deque()
        self._news = asyncio.Event()
        self._told = self._ended = False
        self.channel = CallChannel(self, copies)

    async def open(self) -> None:
        """It is open from the start."""

    async def read(self) -> Message | None:
        """Return what the function says next, or `None` once it has ended."""
        while True:
            with self._room:
                if self._said:
                    self._room.notify()
                    return self._said.popleft()
                self._told = False
            if self._ended:
                return None
            await self._news.wait()
            self._news.clear()

    async def write(self, message: Message) -> None:
        """Tell the function."""
        match message:
            case Cancel():
                self.channel.cancel()
            case UserMessage(value=value):
                self.channel.deliver(value)

    async def close(self) -> None:
        """The function has ended: what it has said can still be read."""
        with self._room:
            self._ended = True
            self._room.notify_all()
        self._news.set()

    def say(self, message: Message) -> None:
        """Take what the function says; of progress that was not read yet, the newest counts."""
        with self._room:
            if isinstance(message, Progress) and self._said and isinstance(self._said[-1], Progress):
                self._said[-1] = message
                return
            if threading.get_ident() != self._loop_thread:
                self._room.wait_for(lambda: len(self._said) < _MOST_WAITING or self._ended)
            self._said.append(message)
            tell, self._told = not self._told, True
        if tell:
            self._loop.call_soon_threadsafe(self._news.set)


class CallChannel(Channel):
    """The function's end."""

    def __init__(self, line: CallLine, copies: Path) -> None:
        """Speak through a line."""
        super().__init__()
        self._line = line
        self._copies = copies
        self._count = itertools.count()

    def report(self, value: Any) -> None:
        """Send an object."""
        self._line.say(Report(value=value, source="task"))

    def progress(self, done: float, total: float = 0.0, unit: str = "") -> None:
        """Say how far the function is."""
        self._line.say(Progress(done=done, total=total, unit=unit, source="task"))

    def artifact(self, path: Path | str, name: str = "") -> None:
        """Send a copy of a file: the function may go on to change its own."""
        self._copies.mkdir(parents=True, exist_ok=True)
        copy = self._copies / f"{next(self._count)}{Path(path).suffix}"
        shutil.copyfile(path, copy)
        self._line.say(Artifact(name=name or Path(path).name, path=copy, source="task"))
