"""How jobs are found in the ledger: in pages, newest first, reading no more of each than decides."""

from collections.abc import Iterator
from typing import TypeVar

from ..communicators import Command, JobRecord, RedisClient, commands
from ..config.errors import AmbiguousJob, JobNotFound
from .job_filter import JobFilter

__all__ = ["SHORTEST_PREFIX", "find_id", "newest_jobs"]

#: Characters of an id that may stand for all of it.
SHORTEST_PREFIX = 4
#: A whole id of ours.
_WHOLE = 36
_PAGE = 500
_ID_PAGE = 5000
#: A shortened id is looked for among so many of the newest jobs.
_MOST_IDS = 100_000
_MOST_NAMED = 10

T = TypeVar("T")


def newest_jobs(redis: RedisClient, wanted: JobFilter, limit: int) -> list[JobRecord]:
    """Return the records of the newest jobs that are wanted, newest first, and no more than `limit`."""
    found: list[JobRecord] = []
    if limit <= 0:
        return found
    size = min(limit, _PAGE) if wanted.by_time_only else _PAGE
    for page in _pages(redis, wanted, size):
        ids = _matching(redis, wanted, page)[: limit - len(found)]
        found += [record for record in _all(redis, [commands.read_record(job_id) for job_id in ids]) if record]
        if len(found) >= limit:
            break
    return found


def find_id(redis: RedisClient, word: str) -> str:
    """Return the id of the job that has it, or whose id alone begins so.

    Raises:
        JobNotFound: when there is none.
        AmbiguousJob: when there are several.
    """
    if redis.run(commands.job_exists(word)):
        return word
    if not SHORTEST_PREFIX <= len(word) < _WHOLE:
        raise JobNotFound(word)
    found: list[str] = []
    looked_at = 0
    for page in _pages(redis, JobFilter(), _ID_PAGE):
        found += [job.job_id for job in page if job.job_id.startswith(word)]
        looked_at += len(page)
        if len(found) > _MOST_NAMED or looked_at >= _MOST_IDS:
            break
    if len(found) > 1:
        raise AmbiguousJob(word, found[:_MOST_NAMED])
    if not found:
        raise JobNotFound(word)
    return found[0]


def _pages(redis: RedisClient, wanted: JobFilter, size: int) -> Iterator[list[commands.Listed]]:
    """Yield the jobs of the time that is asked for, newest first; those that come meanwhile do not matter."""
    before, skip = None if wanted.until_ms is None else wanted.until_ms - 1, 0
    while page := redis.run(commands.list_jobs(size, before_ms=before, since_ms=wanted.since_ms, skip=skip)):
        yield page
        if len(page) < size:
            return
        last = page[-1].at
        at_last = sum(job.at == last for job in page)
        skip, before = (skip + at_last if before == last else at_last), last


def _matching(redis: RedisClient, wanted: JobFilter, page: list[commands.Listed]) -> list[str]:
    if wanted.by_time_only:
        return [job.job_id for job in page]
    reads = [commands.read_facts(job.job_id, state_only=not wanted.looks_into_spec) for job in page]
    pairs = zip(page, _all(redis, reads), strict=True)
    return [job.job_id for job, facts in pairs if facts is not None and wanted.matches(facts)]


def _all(redis: RedisClient, questions: list[Command[T]]) -> list[T | None]:
    """Return the answers to all; `None` for a record that has expired meanwhile."""
    answers = redis.run_many(questions) if questions else []
    for answer in answers:
        if isinstance(answer, Exception) and not isinstance(answer, JobNotFound):
            raise answer
    return [None if isinstance(answer, Exception) else answer for answer in answers]
