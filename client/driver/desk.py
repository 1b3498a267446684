"""Answers the requests of a driver, each with one line."""

import asyncio
import logging
from collections.abc import Callable

from ...config.errors import OutriderError
from ..coordinator import Coordinator
from .line_writer import LineWriter
from .protocol import (
    AboutJob,
    CancelRequest,
    ErrorLine,
    JobsLine,
    ListRequest,
    PauseRequest,
    Request,
    ResumeRequest,
    SendRequest,
    ShutdownRequest,
    StatusRequest,
    SubmitRequest,
)
from .raw_lines import RawLine
from .reporter import Reporter
from .request_line import Refusal, read_request

__all__ = ["Desk"]

logger = logging.getLogger(__name__)

#: Submits that may wait for their answers before no more requests are taken.
_MOST_SUBMITS = 1_000


class Desk:
    """Answers come in the order of the requests; only other submits wait behind one that waits for a place in the queue."""

    def __init__(
        self,
        coordinator: Coordinator,
        mode: str,
        reporter: Reporter,
        writer: LineWriter,
        shut_down: Callable[[ShutdownRequest], None],
    ) -> None:
        """Prepare to answer.

        Args:
            coordinator: carries out jobs.
            mode: the strategy that does it.
            reporter: tells of them.
            writer: takes the answers.
            shut_down: begins the end of the session.
        """
        self._coordinator = coordinator
        self._mode = mode
        self._reporter = reporter
        self._writer = writer
        self._shut_down = shut_down
        self._submits: asyncio.Queue[SubmitRequest | Refusal] = asyncio.Queue(_MOST_SUBMITS)
        self._behind = 0

    async def take(self, line: RawLine) -> None:
        """Answer a line, or have it answered in its turn. While much waits for the driver, it waits."""
        await self._writer.room()
        match read_request(line):
            case SubmitRequest() | Refusal(kind="submit") as submit if self._must_wait(submit):
                self._behind += 1
                await self._submits.put(submit)
            case request:
                await self._heed(request)

    async def serve_submits(self) -> None:
        """Answer submits that wait, or wait behind such, for ever."""
        while True:
            await self._heed(await self._submits.get())
            self._behind -= 1
            self._submits.task_done()

    async def all_answered(self) -> None:
        """Wait until no submit waits for its answer."""
        await self._submits.join()

    def _must_wait(self, submit: SubmitRequest | Refusal) -> bool:
        return self._behind > 0 or (isinstance(submit, SubmitRequest) and submit.block)

    async def _heed(self, request: Request | Refusal) -> None:
        """Answer a request; whatever goes wrong is the answer to it, and concerns no other."""
        try:
            await self._answer(request)
        except Exception as error:
            if not isinstance(error, OutriderError):
                logger.exception("cannot answer", extra={"action": "request_failed"})
            self._writer.answer(ErrorLine.of(error, request.ref, getattr(request, "job", None)))

    async def _answer(self, request: Request | Refusal) -> None:
        match request:
            case Refusal():
                self._writer.answer(ErrorLine.of(request.error, request.ref))
            case SubmitRequest():
                await self._submit(request)
            case ListRequest():
                self._list(request)
            case ShutdownRequest():
                self._shut_down(request)
            case _:
                await self._about_job(request)

    async def _submit(self, request: SubmitRequest) -> None:
        job = await self._coordinator.submit(
            request.task,
            self._mode,
            request.parameters,
            limits=request.limits,
            retry=request.retry,
            before=request.before,
            after=request.after,
            without=request.without,
            idempotency_key=request.idempotency_key,
            block=request.block,
            timeout=request.timeout,
        )
        self._reporter.accept(self._coordinator.state[job.id], request.ref)

    def _list(self, request: ListRequest) -> None:
        jobs = self._reporter.jobs if request.all else self._reporter.open_jobs
        statuses = tuple(job.status() for job in jobs)
        self._writer.answer(JobsLine(ref=request.ref, jobs=statuses, dropped=self._writer.dropped))

    async def _about_job(self, request: AboutJob) -> None:
        """Have a job do what is asked for, and say where it stood then."""
        tracked, job = self._reporter[request.job], self._coordinator.job(request.job)
        match request:
            case StatusRequest():
                state = await job.status()
            case CancelRequest():
                state = await job.cancel()
            case PauseRequest():
                state = await job.pause()
            case ResumeRequest():
                state = await job.resume()
            case SendRequest(value=value):
                state = await job.send(value)
        self._writer.answer(tracked.status(request.ref).model_copy(update={"state": state}))
