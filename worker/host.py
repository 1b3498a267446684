"""A worker process as a host of Executors: one loop, one connection, one catalogue for all of its slots."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from ..communicators import (
    AsyncRedisClient,
    Bounds,
    Claim,
    JobSpec,
    JobState,
    Outcome,
    Progress,
    RedisClient,
    RedisLedger,
    commands,
)
from ..config import Settings, ledger_url, program_environment
from ..config.errors import JobNotFound
from ..tasks import Catalogue
from .executor import Executor, Site
from .process_table import ProcessTable
from .supervisor_loop import SupervisorLoop

__all__ = ["ExecutorHost"]

#: The lease of a claim. Its renewal and its reaper belong to recovery.
_LEASE = timedelta(seconds=60)
#: How long an Executor waits for Redis to return before it gives up a write.
_PATIENCE = timedelta(minutes=10)
#: How often an observer is told of progress.
_PROGRESS_INTERVAL_SECONDS = 1.0


class ExecutorHost:
    """Claims jobs and carries them out on the process's supervisor loop."""

    def __init__(
        self, settings: Settings, catalogue: Catalogue, on_progress: Callable[[str, Progress], None] | None = None
    ) -> None:
        """Prepare; connections and loop come with the first job.

        Args:
            settings: what the operator decided.
            catalogue: what this host can run.
            on_progress: told a job's id and newest progress, from a thread, at most once a second per job.
        """
        self._settings = settings
        self.catalogue = catalogue
        self.bounds = Bounds(settings.stream_length, settings.retention)
        self._url = ledger_url(settings)
        self._on_progress = on_progress
        self._blocking = RedisClient(self._url, settings.connect_timeout)
        self._supervisor = SupervisorLoop()
        self._running: dict[str, Executor] = {}
        self._shared: tuple[RedisLedger, Site] | None = None
        self._background: list[asyncio.Task[None]] = []

    def claim(self, spec: JobSpec, claim_id: str, worker: str) -> Claim | JobState:
        """Claim a job for one attempt, or return the state that stands against it.

        A message from a producer without Outrider has no record yet: it is opened from the message.
        """
        claim = commands.claim(spec.id, claim_id, worker, self.bounds, _LEASE)
        try:
            return self._blocking.run(claim)
        except JobNotFound:
            self._blocking.run(commands.open_job(spec, self.bounds))
            return self._blocking.run(claim)

    def request_cancel(self, job_id: str) -> JobState:
        """Ask for a job's end, wherever it runs."""
        return self._blocking.run(commands.request_cancel(job_id, self.bounds))

    def close_unclaimed(self, job_id: str, outcome: Outcome) -> None:
        """Close a job that nobody will carry out."""
        self._blocking.run(commands.close_unclaimed(job_id, outcome, self.bounds))

    def carry_out(self, held: Claim) -> Outcome:
        """Carry out a claimed job, and block until it has ended.

        Raises:
            LedgerError: when another attempt owns the job now.
        """
        return self._supervisor.submit(self._carry_out(held)).result()

    async def _carry_out(self, held: Claim) -> Outcome:
        ledger, site = self._ready()
        executor = Executor(held, self.catalogue, ledger, site)
        self._running[held.spec.id] = executor
        try:
            return await executor.run()
        finally:
            del self._running[held.spec.id]

    def _ready(self) -> tuple[RedisLedger, Site]:
        """Return what all Executors of this process share; made on the loop that they run on."""
        if self._shared is None:
            client = AsyncRedisClient(self._url, self._settings.connect_timeout, _PATIENCE)
            self._background = [asyncio.create_task(self._pass_on_wake_ups(client))]
            if self._on_progress:
                self._background.append(asyncio.create_task(self._pass_on_progress(self._on_progress)))
            site = Site(
                jobs_directory=self._settings.jobs_directory,
                environment=program_environment(),
                grace=self._settings.grace,
                heartbeat_interval=self._settings.heartbeat_interval,
                hash_inputs=self._settings.hash_inputs,
                processes=ProcessTable(),
            )
            self._shared = RedisLedger(client, self.bounds), site
        return self._shared

    async def _pass_on_wake_ups(self, client: AsyncRedisClient) -> None:
        async for job_id in client.wake_ups():
            woken = self._running.values() if job_id == "" else filter(None, [self._running.get(job_id)])
            for executor in list(woken):
                executor.upward.wake()

    async def _pass_on_progress(self, tell: Callable[[str, Progress], None]) -> None:
        told: dict[str, Progress] = {}
        while True:
            await asyncio.sleep(_PROGRESS_INTERVAL_SECONDS)
            news = {i: e.progress for i, e in self._running.items() if e.progress and e.progress != told.get(i)}
            for job_id, progress in news.items():
                await asyncio.to_thread(tell, job_id, progress)
            told = {job_id: told[job_id] for job_id in self._running if job_id in told} | news
