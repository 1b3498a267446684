"""A worker process as a host of Executors: one loop, one connection, one catalogue for all of its slots."""

import asyncio
import contextlib
import functools
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from datetime import timedelta

from ..communicators import (
    Backend,
    Bounds,
    Claim,
    JobSpec,
    JobState,
    Ledger,
    Outcome,
    Progress,
    RedisClient,
    Wish,
    backend_at,
    commands,
)
from ..config import Settings, ledger_url, runtime_directory
from ..config.errors import JobNotFound, OutriderError
from ..tasklets import Tasklets, load_tasklets
from ..tasks import Catalogue
from .clean_up import CleanUp
from .executor import Executor
from .guardian import Guardian
from .leases import LeaseKeeper
from .own_site import site_of
from .site import Site
from .supervisor_loop import SupervisorLoop
from .tasklet_call import TaskletAnswer, TaskletEnd, TaskletRequest
from .tasklet_site import Announce, SendTasklet, tell_nobody
from .verdict import Released

__all__ = ["ExecutorHost"]

logger = logging.getLogger(__name__)

#: How long an Executor waits for Redis to return before it gives up a write.
_PATIENCE = timedelta(days=1)
#: How often an observer is told of progress, and the guardian is looked after.
_TICK_SECONDS = 1.0


#: How long the end of a process waits for tasklets and notices.
_CLOSE_SECONDS = 8.0
_SHUTDOWN = "was stopped because its worker shuts down"


class ExecutorHost:
    """Claims jobs and carries them out on the process's supervisor loop."""

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        on_progress: Callable[[str, Progress], None] | None = None,
        on_tasklet: Announce = tell_nobody,
        send_tasklet: SendTasklet | None = None,
    ) -> None:
        """Prepare; connections and loop come with the first job.

        Args:
            settings: what the operator decided.
            catalogue: what this host can run.
            on_progress: told a job's id and newest progress, from a thread, at most once a second per job.
            on_tasklet: told of each tasklet of a job, on the loop.
            send_tasklet: takes tasklets to queues.
        """
        self.settings = settings
        self.catalogue = catalogue
        self.bounds = Bounds(settings.stream_length, settings.retention)
        self.redis = RedisClient(ledger_url(settings), settings.connect_timeout)
        self._on_progress = on_progress
        self._on_tasklet = on_tasklet
        self._send_tasklet = send_tasklet
        #: Those that run without a job of ours, by their ids.
        self._tasklets: dict[str, Future[TaskletAnswer]] = {}
        self._supervisor = SupervisorLoop()
        self._running: dict[str, Executor] = {}
        self._shared: tuple[Ledger, Site] | None = None
        self._last_end = -_TICK_SECONDS
        self._background: list[asyncio.Task[None]] = []
        self._draining = self._handing_back = False

    @functools.cached_property
    def tasklets(self) -> Tasklets:
        """The tasklets that this host can run."""
        return load_tasklets(self.settings.tasks)

    def claim(self, spec: JobSpec, claim_id: str, worker: str, raw: str) -> Claim | JobState:
        """Claim a job for one attempt, or return the state that stands against it.

        A message from a producer without Outrider has no record yet: it is opened from the message.
        """
        claim = commands.claim(spec.id, claim_id, worker, raw, self.bounds, self.settings.lease)
        try:
            return self.redis.run(claim)
        except JobNotFound:
            task = self.catalogue.get(spec.task)
            if task:
                names = ("limits", "retry", "exclusive", "before", "after")
                spec = spec.model_copy(update={name: getattr(task, name) for name in names})
            self.redis.run(commands.open_job(spec, self.bounds))
            return self.redis.run(claim)

    def request_cancel(self, job_id: str) -> JobState:
        """Ask for a job's end, wherever it runs."""
        return self.redis.run(commands.express_wish(job_id, Wish.CANCEL, self.bounds))

    def close_unclaimed(self, job_id: str, outcome: Outcome) -> None:
        """Close a job that nobody will carry out."""
        self.redis.run(commands.close_unclaimed(job_id, outcome, self.bounds))

    def carry_out(self, held: Claim) -> Outcome | Released:
        """Carry out a claimed job, and block until its attempt has ended.

        Raises:
            LedgerError: when another attempt owns the job now.
        """
        return self._supervisor.submit(self._carry_out(held)).result()

    def run_tasklet(self, task_id: str, request: TaskletRequest) -> TaskletAnswer:
        """Run a tasklet beside all jobs, and block until it has ended."""
        running = self._tasklets[task_id] = self._supervisor.submit(self._run_tasklet(request))
        try:
            return running.result()
        except CancelledError:
            return TaskletAnswer(ended=TaskletEnd.STOPPED, error="was stopped")
        finally:
            self._tasklets.pop(task_id, None)

    def stop_tasklet(self, task_id: str) -> bool:
        """End a tasklet that runs beside all jobs; say whether it was there."""
        running = self._tasklets.get(task_id)
        return running is not None and running.cancel()

    def close(self) -> None:
        """End what runs tasklets, and let notices that are under way arrive."""
        if self._shared is not None:
            with contextlib.suppress(TimeoutError):
                self._supervisor.submit(self._close()).result(_CLOSE_SECONDS)

    def drain(self, *, hurry: bool = False) -> None:
        """Let the running attempts go on for the settings' `drain_timeout`, then hand them back; at the second call, now.

        A worker whose slots are in child processes tells them by the wake-up channel.
        """
        delay = 0.0 if hurry or self._draining else self.settings.drain_timeout.total_seconds()
        self._draining = True
        timer = threading.Timer(delay, self._hand_back)
        timer.daemon = True
        timer.start()

    def _hand_back(self) -> None:
        self._handing_back = True
        if self._shared is not None:
            self._supervisor.submit(self._hand_back_all())
        else:  # the slots are in children, if anywhere
            with contextlib.suppress(OutriderError):
                self.redis.run(commands.wake_up(_hand_back_call(os.getpid())))

    @property
    def is_busy(self) -> bool:
        """Whether an attempt runs in this process, or has ended so recently that Celery may not have been told yet."""
        return bool(self._running or self._tasklets) or time.monotonic() - self._last_end < _TICK_SECONDS

    async def _carry_out(self, held: Claim) -> Outcome | Released:
        ledger, site = self._ready()
        if site.tasklets and (held.spec.before or held.spec.after):
            site.tasklets.pool.warm()
        executor = Executor(held, self.catalogue, ledger, site)
        self._running[held.spec.id] = executor
        if self._handing_back:
            await executor.hand_back(_SHUTDOWN)
        try:
            return await executor.run()
        finally:
            if self._running.get(held.spec.id) is executor:  # a later attempt may have come to this worker already
                del self._running[held.spec.id]
            self._last_end = time.monotonic()

    async def _run_tasklet(self, request: TaskletRequest) -> TaskletAnswer:
        _, site = self._ready()
        if site.tasklets is None:
            raise AssertionError
        return await site.tasklets.pool.run(request)

    async def _close(self) -> None:
        _, site = self._ready()
        if site.tasklets is not None:
            await asyncio.gather(site.tasklets.pool.close(), site.tasklets.sinks.close())

    async def _hand_back_all(self) -> None:
        self._handing_back = True
        await asyncio.gather(*(executor.hand_back(_SHUTDOWN) for executor in list(self._running.values())))

    def _ready(self) -> tuple[Ledger, Site]:
        """Return what all Executors of this process share; made on the loop that they run on."""
        if self._shared is None:
            settings, worker_id = self.settings, uuid.uuid4().hex
            backend = backend_at(self.redis.url, self.bounds, settings.connect_timeout, _PATIENCE)
            sockets = runtime_directory(settings.project) / worker_id[:12]
            site = site_of(settings, worker_id, sockets, self.tasklets, self._on_tasklet, self._send_tasklet)
            services = [
                self._pass_on_wake_ups(backend),
                self._tick(Guardian(worker_id, sockets)),
                LeaseKeeper(backend, self._running, settings.lease).keep(),
            ]
            if keep := settings.keep_directories:
                clean_up = CleanUp(site.jobs_directory, site.store, self.redis, keep, settings.retention)
                services.append(clean_up.keep_going())
            self._background = [asyncio.create_task(service) for service in services]
            self._shared = backend.ledger, site
        return self._shared

    async def _pass_on_wake_ups(self, backend: Backend) -> None:
        call = _hand_back_call(os.getppid())
        async for job_id in backend.wake_ups():
            if job_id == call:
                await self._hand_back_all()
            else:
                backend.ledger.wake(job_id)

    async def _tick(self, guardian: Guardian) -> None:
        told: dict[str, Progress] = {}
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            guardian.watch()
            news = {i: e.progress for i, e in self._running.items() if e.progress and e.progress != told.get(i)}
            for job_id, progress in news.items():
                await self._tell(job_id, progress)
            told = {job_id: told[job_id] for job_id in self._running if job_id in told} | news

    async def _tell(self, job_id: str, progress: Progress) -> None:
        if self._on_progress is None:
            return
        try:
            await asyncio.to_thread(self._on_progress, job_id, progress)
        except Exception as error:  # noqa: BLE001 - an observer that fails disturbs nobody
            logger.warning("cannot tell of progress: %s", error, extra={"action": "progress_untold", "job_id": job_id})


def _hand_back_call(parent: int) -> str:
    """Return what a worker says on the wake-up channel to the processes of its pool."""
    return f"hand back: {socket.gethostname()} {parent}"
