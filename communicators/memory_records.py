"""The records of one process's jobs; those of closed jobs go with time, as they do in Redis."""

import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping

from ..config.errors import JobNotFound
from .commands import Bounds
from .memory_stream import MemoryStream
from .record import JobRecord
from .states import JobState

__all__ = ["MemoryRecords"]

#: Closed jobs that are remembered, however long their retention is, and those of which more is than the last message.
_MOST_CLOSED = 10_000
_MOST_WITH_MESSAGES = 500


class MemoryRecords(Mapping[str, JobRecord]):
    """Records by id, with their messages, and how many there are in each state."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        """Start with none; without bounds, all is kept."""
        self._bounds = bounds
        self._records: dict[str, JobRecord] = {}
        self._keys: dict[str, str] = {}
        self._key_of: dict[str, str] = {}
        #: The ids of closed jobs with when they were closed, by the monotonic clock.
        self._closed: deque[tuple[float, str]] = deque()
        self.messages: dict[str, MemoryStream] = {}
        self.counts: Counter[JobState] = Counter()
        #: The newest token of each job; 0 before the first claim.
        self.tokens: Counter[str] = Counter()

    def __getitem__(self, job_id: str) -> JobRecord:
        """Return a record. Raises `JobNotFound`."""
        try:
            return self._records[job_id]
        except KeyError:
            raise JobNotFound(job_id) from None

    def find(self, job_id: str) -> JobRecord | None:
        """Return a record, or `None` when there is none."""
        return self._records.get(job_id)

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._records

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def first_with(self, key: str) -> str | None:
        """Return the id of the job with this idempotency key."""
        self._forget_old()
        return self._keys.get(key)

    def add(self, record: JobRecord, idempotency_key: str | None = None) -> None:
        """Take a new record."""
        self._forget_old()
        self._records[record.id] = record
        self.messages[record.id] = MemoryStream(None if self._bounds is None else self._bounds.stream_length)
        self.counts[record.state] += 1
        if idempotency_key is not None:
            self._keys[idempotency_key] = record.id
            self._key_of[record.id] = idempotency_key

    def change(self, record: JobRecord, **changes: object) -> JobRecord:
        """Put a changed record in a record's place, and return it."""
        changed = record.model_copy(update=changes)
        self._records[record.id] = changed
        if changed.state is not record.state:
            self.counts[record.state] -= 1
            self.counts[changed.state] += 1
            if changed.state.is_terminal:
                self._closed.append((time.monotonic(), record.id))
                if self._bounds is not None and len(self._closed) > _MOST_WITH_MESSAGES:
                    self.messages[self._closed[-1 - _MOST_WITH_MESSAGES][1]].shorten()
        return changed

    def _forget_old(self) -> None:
        if self._bounds is None:
            return
        oldest = time.monotonic() - self._bounds.retention.total_seconds()
        while self._closed and (self._closed[0][0] < oldest or len(self._closed) > _MOST_CLOSED):
            _, job_id = self._closed.popleft()
            self.counts[self._records.pop(job_id).state] -= 1
            del self.messages[job_id], self.tokens[job_id]
            if (key := self._key_of.pop(job_id, None)) is not None:
                del self._keys[key]
