"""How facts about a job travel: messages, what carries them, and the ledger that keeps them."""

from . import commands
from .commands import Bounds, Command
from .communicator import Communicator
from .ledger import Ledger, MemoryLedger, RedisLedger
from .ledger_communicator import LedgerCommunicator
from .messages import (
    Artifact,
    Cancel,
    Finished,
    Heartbeat,
    LogLines,
    Message,
    Pause,
    Progress,
    Raised,
    Report,
    Resume,
    Returned,
    Stamp,
    StateChanged,
    Stream,
    UserMessage,
)
from .outcome import Exit, FailureReason, Outcome, OutputFile
from .pipe import PipeCommunicator
from .progress_pattern import ProgressPattern
from .record import AttemptFacts, Claim, JobRecord, JobSpec, Provenance, RunFacts, Wish
from .redis_client import AsyncRedisClient, RedisClient
from .reference import Reference
from .states import TRANSITIONS, JobState

__all__ = [
    "TRANSITIONS",
    "Artifact",
    "AsyncRedisClient",
    "AttemptFacts",
    "Bounds",
    "Cancel",
    "Claim",
    "Command",
    "Communicator",
    "Exit",
    "FailureReason",
    "Finished",
    "Heartbeat",
    "JobRecord",
    "JobSpec",
    "JobState",
    "Ledger",
    "LedgerCommunicator",
    "LogLines",
    "MemoryLedger",
    "Message",
    "Outcome",
    "OutputFile",
    "Pause",
    "PipeCommunicator",
    "Progress",
    "ProgressPattern",
    "Provenance",
    "Raised",
    "RedisClient",
    "RedisLedger",
    "Reference",
    "Report",
    "Resume",
    "Returned",
    "RunFacts",
    "Stamp",
    "StateChanged",
    "Stream",
    "UserMessage",
    "Wish",
    "commands",
]
