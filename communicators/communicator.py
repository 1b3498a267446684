"""The contract of everything that carries messages about one job."""

from abc import ABC, abstractmethod

from .messages import Message

__all__ = ["Communicator"]


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
