"""How a first-party task's process speaks with its Executor."""

import contextlib
import itertools
import logging
import shutil
import threading
from pathlib import Path
from typing import Any

from ..communicators import ExecutorLink
from ..communicators.messages import Artifact, Cancel, Message, Progress, Raised, Report, Returned, UserMessage
from ..tasks import Channel
from .error_text import error_text
from .interruption import Interruption

__all__ = ["LinkChannel"]

logger = logging.getLogger(__name__)

#: How long a file's name may be.
_NAME_BYTES = 255
_SUFFIX_BYTES = 32


class LinkChannel(Channel):
    """A task's channel to its Executor."""

    def __init__(self, link: ExecutorLink, artifacts: Path) -> None:
        """Speak over a link; files to be kept are copied into a folder first."""
        super().__init__()
        self._link = link
        self._artifacts = artifacts
        self._copies = itertools.count()  # `next` is one step: threads need no lock
        #: What interrupts the task at TERM, unless it looks after itself; never within a message.
        self.interruption = Interruption(self._interrupts)

    def report(self, value: Any) -> None:
        """Send an object."""
        self._say(Report(value=value, source="task"))

    def progress(self, done: float, total: float = 0.0, unit: str = "") -> None:
        """Send how far the task is."""
        self._say(Progress(done=done, total=total, unit=unit, source="task"))

    def artifact(self, path: Path | str, name: str = "") -> None:
        """Send a copy of a file: the task may go on to change its own."""
        name = name or Path(path).name
        self._artifacts.mkdir(exist_ok=True)
        copy = self._artifacts / _copy_name(next(self._copies), Path(name))
        shutil.copyfile(path, copy)
        self._say(Artifact(name=name, path=copy, source="task"))

    def end(self, message: Returned | Raised) -> Returned | Raised:
        """Say how the task ended, as the last thing, and return what was said: not every result can be sent."""
        self.interruption.end()
        try:
            self._link.send(message)
        except Exception as error:  # noqa: BLE001 - pickling runs the objects' own code
            message = Raised(error=f"the result cannot be sent: {error_text(error)}")
            if not self._can_send(message):
                return message  # the link is not closed: that would wait for our listener, whom nobody can wake
        self._link.close()
        return message

    def _can_send(self, message: Raised) -> bool:
        """Send an end; when nobody is there any more, the log may tell it, and the exit code will."""
        try:
            self._link.send(message)
        except OSError:
            with contextlib.suppress(Exception):
                logger.error("%s", message.error, extra={"action": "end_not_sent"})  # noqa: TRY400 - it names the error
            return False
        return True

    def start_listening(self) -> None:
        """Take what the Executor says, in a thread, until the link ends."""
        threading.Thread(target=self._listen, name="outrider-link", daemon=True).start()

    def _listen(self) -> None:
        while (message := self._link.receive()) is not None:
            match message:
                case Cancel():
                    self.cancel()
                case UserMessage(value=value):
                    self.deliver(value)

    def _interrupts(self) -> bool:
        self.cancel()
        return not self.asked_if_cancelled

    def _say(self, message: Message) -> None:
        with self.interruption:
            self._link.send(message)


def _copy_name(number: int, name: Path) -> str:
    """Return a name of its own for a copy, as like the file's as the file system takes."""
    start, suffix = f"{number}-".encode(), name.suffix.encode(errors="ignore")[:_SUFFIX_BYTES]
    room = _NAME_BYTES - len(start) - len(suffix)
    return (start + name.stem.encode(errors="ignore")[:room] + suffix).decode(errors="ignore")
