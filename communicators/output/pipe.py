"""What a program prints: all of it into files, the newest of it as messages."""

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

from ..communicator import ProgramCommunicator
from ..messages import LogLines, Message, Progress, Stream
from .drain import Drain
from .log_file import LogFile
from .progress_reader import ProgressReader
from .progress_tally import ProgressTally
from .stream_ends import open_pipe, open_terminal

__all__ = ["PipeCommunicator"]

#: The pause after a look, how much longer each line makes it that was found, and how many characters do so, too.
_PAUSE_SECONDS, _LINE_SECONDS, _LINE_CHARACTERS = 0.04, 0.01, 100


class PipeCommunicator(ProgramCommunicator):
    """Drains the pipes of one program on the running event loop.

    Bytes go to the files untouched. What is printed is text and nothing else: no byte of it is ever interpreted. The first
    line after a silence goes at once; then messages are collected, the longer the more there was, so a program that floods
    costs a bounded number of them.
    """

    def __init__(
        self,
        files: Mapping[Stream, Path],
        progress: ProgressReader | None = None,
        *,
        terminals: Collection[Stream] = (),
        interval_seconds: float = 0.1,
    ) -> None:
        """Prepare one pipe for each stream that has a file.

        Args:
            files: what keeps the bytes of each stream.
            progress: finds progress in what is printed.
            terminals: the streams for which the program gets a pseudo-terminal in place of a pipe.
            interval_seconds: how long messages are collected at the most.
        """
        self._files = files
        self._progress = progress
        self._terminals = terminals
        self._interval = interval_seconds
        self._drains: dict[Stream, Drain] = {}
        #: The ends for the program; close them with `hand_over` once it has them.
        self.write_ends: dict[Stream, int] = {}
        self._ready: deque[Message] = deque()
        self._news = asyncio.Event()
        self._newest: dict[Stream, Progress] = {}
        self._look_due = 0.0
        self._created = time.monotonic()

    @property
    def last_output(self) -> float:
        """When the last byte came, by the monotonic clock."""
        return max((drain.last_output for drain in self._drains.values()), default=self._created)

    async def open(self) -> None:
        """Make the pipes and the files, and start to drain.

        Raises:
            CannotRun: when a pseudo-terminal is asked for and the system has none left.
        """
        for name, path in self._files.items():
            with contextlib.ExitStack() as undo:
                reader, self.write_ends[name] = open_terminal() if name in self._terminals else open_pipe()
                undo.callback(os.close, reader)
                hear = partial(self._progress.feed, name) if isinstance(self._progress, ProgressTally) else None
                self._drains[name] = Drain(reader, LogFile(path), self._news, hear)
                undo.pop_all()

    def hand_over(self) -> None:
        """Close our copies of the ends that the program has now, so that its end is the pipes' end."""
        while self.write_ends:
            os.close(self.write_ends.popitem()[1])

    async def read(self) -> Message | None:
        """Return the next progress or lines; `None` after the last byte."""
        while not self._ready:
            if self._ended and not self._news.is_set():
                return None
            await self._news.wait()
            if (pause := self._look_due - time.monotonic()) > 0:
                await self.wait_drained(pause)
            self._look()
        return self._ready.popleft()

    async def write(self, message: Message) -> None:
        """Drop the message: a program that we do not own listens to nothing but signals."""

    async def wait_drained(self, timeout_seconds: float) -> None:
        """Wait until the program and all that inherited its pipes have closed them, or for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                for drain in self._drains.values():
                    await drain.ended.wait()

    async def close(self) -> None:
        """Stop draining, whoever still holds the other ends."""
        self.hand_over()
        for drain in self._drains.values():
            drain.close()

    def last_lines(self, stream: Stream) -> tuple[str, ...]:
        """Return the newest lines of a stream, oldest first."""
        return tuple(self._drains[stream].tail.last_lines) if stream in self._drains else ()

    @property
    def _ended(self) -> bool:
        return all(drain.ended.is_set() for drain in self._drains.values())

    def _look(self) -> None:
        self._news.clear()
        final = self._ended
        found = 0
        for name, drain in self._drains.items():
            new = drain.tail.take(final=final)
            found += len(new.lines) + new.dropped + len(new.text) // _LINE_CHARACTERS
            progress = self._progress and self._progress.last(new.text)
            if progress and progress != self._newest.get(name):  # an unfinished line is looked at again
                self._newest[name] = progress
                self._ready.append(progress.model_copy(update={"source": name}))
            if new.lines or new.dropped:
                self._ready.append(LogLines(stream=name, lines=new.lines, dropped=new.dropped, source=name))
        self._look_due = time.monotonic() + min(self._interval, _PAUSE_SECONDS + _LINE_SECONDS * found)
