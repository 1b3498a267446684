"""How the cluster stands: the jobs in the ledger, and the workers that have been heard."""

from collections import Counter
from collections.abc import Iterator

from ..communicators import JobState, RedisClient, commands
from ..config import Settings
from .system_detail import JobCounts, QueueDetail, StrategyDetail, WorkerDetail

__all__ = ["cluster_detail"]

#: After so many of its heartbeats that were not heard, a worker is called silent.
_MISSED_BEATS = 3


def cluster_detail(redis: RedisClient, settings: Settings) -> StrategyDetail:
    """Return how the jobs, the queues and the workers of a ledger stand, whether or not a worker is alive.

    The bound on queued jobs holds for all queues of the ledger together; each queue shows it.

    Raises:
        BrokerUnavailable: when Redis does not answer.
    """
    pages, heard = list(_pages(redis)), redis.run(commands.read_workers())
    states = sum((page.states for page in pages), Counter[JobState]())
    queued = sum((page.queued for page in pages), Counter[str]())
    running = sum((page.running for page in pages), Counter[str]())
    workers = [_worker(worker, running[worker.facts.name]) for worker in heard]
    names = {settings.queue, *queued, *(queue for worker in workers for queue in worker.queues)}
    return StrategyDetail(
        mode="celery",
        jobs=JobCounts(**{state.value: count for state, count in states.items()}),
        queues=tuple(QueueDetail(name=n, queued=queued[n], limit=settings.max_queued) for n in sorted(names)),
        workers=tuple(sorted(workers, key=lambda worker: worker.name)),
        slots=sum(worker.slots for worker in workers if not worker.silent),
    )


def _pages(redis: RedisClient) -> Iterator[commands.SurveyPage]:
    page = redis.run(commands.survey())
    yield page
    while page.next is not None:
        page = redis.run(commands.survey(page.next))
        yield page


def _worker(heard: commands.HeardWorker, running: int) -> WorkerDetail:
    facts = heard.facts
    return WorkerDetail(
        name=facts.name,
        host=facts.host,
        pid=facts.pid,
        pool=facts.pool,
        heartbeat_age_seconds=heard.age.total_seconds(),
        silent=heard.age > _MISSED_BEATS * facts.interval,
        started_at=facts.started_at,
        slots=facts.slots,
        running=running,
        queues=facts.queues,
        version=facts.outrider_version,
        python_version=facts.python_version,
    )
