"""Python code of our own as a task, which says what it wants while it runs."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr

from .channel import Channel
from .description import TaskDescription
from .working_directory import refuse_working_directory

__all__ = ["Task"]


class Task(TaskDescription):
    """Code that runs in a process of its own, beside an Executor: fields are its parameters, `run` is what it does.

    >>> class Squares(Task):
    ...     count: int
    ...
    ...     def run(self) -> list[int]:
    ...         for n in range(self.count):
    ...             self.progress(n + 1, self.count, "squares")
    ...         return [n * n for n in range(self.count)]
    >>> Squares(count=3).run()
    [0, 1, 4]

    Fields of type `Path` are input files, as with a program; with `Output()` they are files that the task must leave,
    relative to its working directory. What it prints is its log.
    """

    _channel: Channel = PrivateAttr(default_factory=Channel)

    @classmethod
    def __pydantic_init_subclass__(cls, **words: Any) -> None:
        """Check as well that it is started in the job's directory."""
        super().__pydantic_init_subclass__(**words)
        refuse_working_directory(cls.__name__, cls.task_fields())

    def __eq__(self, other: object) -> bool:
        """Compare the parameters; through which channel it speaks is no part of a task."""
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        """Hash the parameters; a list has no hash."""
        return hash((type(self), *self.__dict__.values()))

    def run(self) -> Any:
        """Do the work, and return the result: anything that JSON can say, arrays, bytes, or a mixture (see the docs).

        It runs in the job's working directory. When the job is cancelled, `outrider.Cancelled` is raised wherever the main
        thread is, unless the task has asked for `cancelled` before.
        """
        raise NotImplementedError

    def report(self, value: Any) -> None:
        """Send an object to whoever watches the job: anything that may be a result."""
        self._channel.report(value)

    def progress(self, done: float, total: float = 0.0, unit: str = "") -> None:
        """Say how far the task is; `total` 0: nobody knows. Call it as often as you like: watchers get the newest."""
        self._channel.progress(done, total, unit)

    def artifact(self, path: Path | str, name: str = "") -> None:
        """Keep a file with the job, under its own name or another; it is copied now.

        Raises:
            FileNotFoundError: when there is no such file.
        """
        path = Path(path)
        self._channel.artifact(path, name or path.name)

    def messages(self, timeout: float | None = None) -> Iterator[Any]:
        """Yield what producers send with `job.send`, from the first message on.

        Args:
            timeout: end when nothing has come for so many seconds; 0: take what is there; `None`: go on until the job is
                cancelled.
        """
        return self._channel.messages(timeout)

    @property
    def log(self) -> logging.Logger:
        """The job's log: lines go to its standard error."""
        return logging.getLogger(f"outrider.task.{self.name}")

    @property
    def cancelled(self) -> bool:
        """Whether the job was cancelled or ran into a limit. A task that asks is not interrupted: it ends by itself."""
        return self._channel.cancelled

    def attach(self, channel: Channel) -> None:
        """Have the task speak through a channel, as whoever carries it out does."""
        self._channel = channel

    @classmethod
    def is_complete(cls) -> bool:
        """Whether the class says what to do."""
        return cls.run is not Task.run

    @classmethod
    def _result_maker(cls) -> Callable[..., Any]:
        return cls.run
