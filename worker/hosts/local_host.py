"""Where the Executors of a strategy without a broker live."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from ...communicators import MemoryLedger, Outcome
from ...tasks import TaskDescription
from ..plain_call import PlainCall
from ..verdict import Released

__all__ = ["Home", "LocalHost", "Work"]

#: What a job is made of: the class of its task, whose parameters are in the record, or a function.
Work = type[TaskDescription] | PlainCall


@dataclass(frozen=True)
class Home:
    """One process, or thread, that carries out jobs."""

    name: str
    pid: int
    running: int
    #: How many jobs it carries out at once; `None`: as many as it is given.
    slots: int | None = None
    #: Seconds since it was last heard; 0 for this process.
    heartbeat_age_seconds: float = 0.0


class LocalHost(ABC):
    """Claims jobs of a ledger in memory and carries them out, as a worker does those in Redis."""

    @abstractmethod
    def check(self, work: Work) -> None:
        """Make sure that work can be carried out here.

        Raises:
            CannotTravel: when it cannot even be brought here.
        """

    @abstractmethod
    async def carry_out(self, job_id: str, work: Work, ledger: MemoryLedger) -> Outcome | Released:
        """Claim a queued job, carry it out, and return how the attempt ended once its slot is free again.

        Raises:
            LedgerError: when the job is not there to be claimed, or was taken from us.
        """

    @property
    @abstractmethod
    def homes(self) -> tuple[Home, ...]:
        """The processes, or threads, that carry out jobs now."""

    @abstractmethod
    def abandon(self) -> None:
        """Keep no slot any longer for a function that goes on although its job has ended."""

    @abstractmethod
    async def close(self) -> None:
        """End all that carries out jobs, and what they have left running."""
