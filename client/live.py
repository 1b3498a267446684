"""A job on the screen: a bar under the lines on a terminal, a line for every tenth elsewhere."""

from collections.abc import AsyncIterable, Iterable

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from ..communicators import (
    Finished,
    Heartbeat,
    JobState,
    LogLines,
    Message,
    Outcome,
    Progress,
    Snapshot,
    StateChanged,
)
from .ending import ending_lines

__all__ = ["show_messages", "show_messages_async"]


def show_messages(messages: Iterable[Message], console: Console | None = None) -> Outcome | None:
    """Show a job's messages as they come, and return how it ended (`None`: the messages ended before the job)."""
    screen = _Screen(console or Console(highlight=False))
    with screen.bar:
        for message in messages:
            if isinstance(message, Finished):
                screen.end(message)
                return message.outcome
            screen.show(message)
    return None


async def show_messages_async(messages: AsyncIterable[Message], console: Console | None = None) -> Outcome | None:
    """Show a job's messages as they come, as `show_messages` does."""
    screen = _Screen(console or Console(highlight=False))
    with screen.bar:
        async for message in messages:
            if isinstance(message, Finished):
                screen.end(message)
                return message.outcome
            screen.show(message)
    return None


class _Screen:
    def __init__(self, console: Console) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[shown]}"),
            TimeElapsedColumn(),
        )
        self.bar = Bar(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._console = console
        self._line = self.bar.add_task("waiting", total=None, shown="")
        self._tenths = -1
        self._snapshot: Snapshot | None = None

    def show(self, message: Message) -> None:
        self._show_missed(message)
        match message:
            case Snapshot(state=state):
                self._snapshot = message
                self.bar.update(self._line, description=str(state))
            case Progress():
                self._progress(message)
            case Heartbeat(rss=rss):
                self.bar.update(self._line, description=f"running, {rss / 2**20:.0f} MiB")
            case LogLines(stream=stream, lines=lines):
                for line in lines:
                    if line.strip():
                        self._print(f"{stream}: {line}")
            case _:
                if isinstance(message, StateChanged):
                    waiting = " (waiting for a worker)" if message.state is JobState.QUEUED else ""
                    self.bar.update(self._line, description=f"{message.state}{waiting}")
                self._print(str(message))

    def end(self, message: Finished) -> None:
        self._show_missed(message)
        for line in (*ending_lines(message.outcome), str(message)):
            self._print(line)

    def _show_missed(self, following: Message) -> None:
        """Say where the job stood, unless its whole story follows."""
        snapshot, self._snapshot = self._snapshot, None
        whole = isinstance(following, StateChanged) and following.state is JobState.QUEUED
        if snapshot and not whole:
            self._print(str(snapshot))

    def _progress(self, message: Progress) -> None:
        shown = str(message).removeprefix("progress: ")
        self.bar.update(self._line, completed=message.done, total=message.total or None, shown=shown)
        tenths = int((message.fraction or 0) * 10)
        if not self._console.is_terminal and tenths > self._tenths:
            self._tenths = tenths
            self._print(shown)

    def _print(self, text: str) -> None:
        """Print a line as it is: what programs say is no markup."""
        self._console.print(text, markup=False, soft_wrap=True)
