"""How facts about a job travel: messages, what carries them, and the ledger that keeps them."""

from . import (
    commands,
)
from .backends import (
    Backend,
    MemoryBackend,
    RedisBackend,
    backend_at,
)
from .commands import (
    Bounds,
    Command,
)
from .communicator import (
    Communicator,
    ProgramCommunicator,
    WatcherCommunicator,
)
from .cursor import (
    Cursor,
    Patience,
)
from .ledger import (
    Ledger,
    RedisLedger,
)
from .ledger_communicator import (
    LedgerCommunicator,
)
from .memory_communicator import (
    MemoryCommunicator,
)
from .memory_ledger import (
    MemoryLedger,
)
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
    Snapshot,
    Stamp,
    StateChanged,
    Stream,
    TaskletEnded,
    UserMessage,
)
from .outcome import (
    Exit,
    FailureReason,
    Outcome,
    OutputFile,
)
from .output import (
    FileGrowthCommunicator,
    JsonLines,
    PipeCommunicator,
    ProgressPattern,
    ProgressReader,
    ProgressTally,
    fresh_file,
)
from .peers import (
    ExecutorLink,
    SocketCommunicator,
)
from .publisher import (
    Publisher,
    Subscription,
)
from .record import (
    JOB_ID_PATTERN,
    AttemptFacts,
    Claim,
    InputFile,
    JobRecord,
    JobSpec,
    Provenance,
    RunFacts,
    Wanted,
    Wish,
)
from .record_file import (
    RECORD_FILE,
    read_record,
)
from .redis_client import (
    AsyncRedisClient,
    RedisClient,
)
from .redis_communicator import (
    RedisCommunicator,
)
from .remote_ledger import (
    WORDS,
    OtherLoopLedger,
    RemoteLedger,
)
from .states import (
    TRANSITIONS,
    JobState,
)
from .tasklet_run import (
    TaskletRun,
    TaskletState,
)
from .values import (
    ArtifactStore,
    NotPlain,
    Opaque,
    Reference,
    StoredFile,
    as_plain,
    described,
    pack,
    unpack,
    with_texts,
)

__all__ = [
    "JOB_ID_PATTERN",
    "RECORD_FILE",
    "TRANSITIONS",
    "WORDS",
    "Artifact",
    "ArtifactStore",
    "AsyncRedisClient",
    "AttemptFacts",
    "Backend",
    "Bounds",
    "Cancel",
    "Claim",
    "Command",
    "Communicator",
    "Cursor",
    "ExecutorLink",
    "Exit",
    "FailureReason",
    "FileGrowthCommunicator",
    "Finished",
    "Heartbeat",
    "InputFile",
    "JobRecord",
    "JobSpec",
    "JobState",
    "JsonLines",
    "Ledger",
    "LedgerCommunicator",
    "LogLines",
    "MemoryBackend",
    "MemoryCommunicator",
    "MemoryLedger",
    "Message",
    "NotPlain",
    "Opaque",
    "OtherLoopLedger",
    "Outcome",
    "OutputFile",
    "Patience",
    "Pause",
    "PipeCommunicator",
    "ProgramCommunicator",
    "Progress",
    "ProgressPattern",
    "ProgressReader",
    "ProgressTally",
    "Provenance",
    "Publisher",
    "Raised",
    "RedisBackend",
    "RedisClient",
    "RedisCommunicator",
    "RedisLedger",
    "Reference",
    "RemoteLedger",
    "Report",
    "Resume",
    "Returned",
    "RunFacts",
    "Snapshot",
    "SocketCommunicator",
    "Stamp",
    "StateChanged",
    "StoredFile",
    "Stream",
    "Subscription",
    "TaskletEnded",
    "TaskletRun",
    "TaskletState",
    "UserMessage",
    "Wanted",
    "WatcherCommunicator",
    "Wish",
    "as_plain",
    "backend_at",
    "commands",
    "described",
    "fresh_file",
    "pack",
    "read_record",
    "unpack",
    "with_texts",
]
