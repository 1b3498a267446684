"""The contract of everything that carries messages about one job."""

from abc import ABC, abstractmethod

from .messages import Message, Snapshot

__all__ = ["Communicator", "ProgramCommunicator", "WatcherCommunicator"]


class Communicator(ABC):
    """Carries messages between an Executor and one other party, in both directions where the other party listens.

    The Executor holds several at once. Tasks, tasklets and producers never see one.
    """

    @abstractmethod
    async def open(self) -> None:
        """Make ready to read and write."""

    @abstractmethod
    async def read(self) -> Message | None:
        """Return the next message of the other party, or `None` once there will be no more."""

    @abstractmethod
    async def write(self, message: Message) -> None:
        """Hand a message to the other party, in order. Never waits for it, and never raises because of it."""

    @abstractmethod
    async def close(self) -> None:
        """Deliver what is still held, as far as the other party can be reached, and let go of everything."""


class WatcherCommunicator(Communicator):
    """Between whoever watches a job and its Executor: reads what the job says, writes what it shall hear."""

    @abstractmethod
    async def snapshot(self) -> Snapshot | None:
        """Return where the job stands; `None` while nothing has happened. Raises `JobNotFound`."""


class ProgramCommunicator(Communicator):
    """Between an Executor and its program, which may say anything, and may leave others behind who hold the line."""

    @property
    @abstractmethod
    def last_output(self) -> float:
        """When the program was last heard, by the monotonic clock."""

    @abstractmethod
    async def wait_drained(self, timeout_seconds: float) -> None:
        """Wait until the program and all that inherited the line have let go of it, or for so long."""
