"""What is said to the ledger, without saying it: each function returns one `Command`, whatever client runs it.

A transition and its message are one Lua script, so nobody sees the one without the other.
"""

from .command import Bounds, Command, Word
from .delivering import Due, published, reap, renew, rescue, tidy, wake_up
from .executing import cancelling, claim, close, close_unclaimed, emit, pause, read_inward, release, resume, start
from .listing import JobFacts, Listed, job_exists, list_jobs, read_facts
from .producing import (
    express_wish,
    forget_idempotency_key,
    forget_inbox,
    last_position,
    open_job,
    read_inbox,
    read_messages,
    read_news,
    read_record,
    read_state,
    send_message,
    server_time_ms,
    watch_ends,
)
from .surveying import HeardWorker, SurveyPage, WorkerFacts, beat, forget_worker, read_workers, survey

__all__ = [
    "Bounds",
    "Command",
    "Due",
    "HeardWorker",
    "JobFacts",
    "Listed",
    "SurveyPage",
    "Word",
    "WorkerFacts",
    "beat",
    "cancelling",
    "claim",
    "close",
    "close_unclaimed",
    "emit",
    "express_wish",
    "forget_idempotency_key",
    "forget_inbox",
    "forget_worker",
    "job_exists",
    "last_position",
    "list_jobs",
    "open_job",
    "pause",
    "published",
    "read_facts",
    "read_inbox",
    "read_inward",
    "read_messages",
    "read_news",
    "read_record",
    "read_state",
    "read_workers",
    "reap",
    "release",
    "renew",
    "rescue",
    "resume",
    "send_message",
    "server_time_ms",
    "start",
    "survey",
    "tidy",
    "wake_up",
    "watch_ends",
]
