"""A task, or a plain function, that is to be carried out once."""

import asyncio
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from ...communicators import ArtifactStore, MemoryLedger
from ...config import load_settings
from ...worker import LoopHost, Released
from ..preparer import Preparer
from ..submit_options import SubmitOptions
from ..typed_result import job_result
from .order import Order

__all__ = ["Invocation"]

R = TypeVar("R")

_NO_OPTIONS = SubmitOptions()


class Invocation(Generic[R]):
    """A task together with the id of the job that it becomes; what some call a task with a request id and a node."""

    def __init__(
        self,
        job_id: str | None,
        task: Any,
        parameters: Mapping[str, Any] | None = None,
        options: SubmitOptions = _NO_OPTIONS,
    ) -> None:
        """Remember what is asked for; `Coordinator.submit` checks it.

        Args:
            job_id: the job's id; `None`, as it should be: a new one.
            task: a task, the name of one, the job of a file, or a function without arguments, coroutine function or not.
            parameters: those of a task given by name, or in place of the file's.
            options: what the submission decides beside.
        """
        self.job_id = job_id
        self.task = task
        self.parameters = parameters
        self.options = options

    async def invoke(self) -> R:
        """Carry it out on the running event loop, now and without a queue, and return its result.

        Raises:
            JobFailed, JobTimedOut, JobCancelled: when it did not succeed.
            UnknownTask, InvalidParameters, InvalidFile, UnknownTasklet, InvalidTasklet: when there is no such job.
        """
        settings = load_settings()
        order = self.order(Preparer(settings))
        host, ledger = LoopHost(settings), MemoryLedger()
        job_id = ledger.open(order.spec)
        try:
            end = await host.carry_out(job_id, order.work, ledger)
            while isinstance(end, Released):  # to be attempted again after a pause
                await asyncio.sleep(end.delay.total_seconds())
                end = await host.carry_out(job_id, order.work, ledger)
        finally:
            await host.close()
        store = ArtifactStore(settings.artifact_store_url)
        result: R = await asyncio.to_thread(job_result, job_id, end, order.work.result_adapter(), store)
        return result

    def order(self, preparer: Preparer, queue: str = "") -> Order:
        """Return the order for it. Raises as `Order.of` does."""
        return Order.of(self.task, self.parameters, self.options, preparer, job_id=self.job_id, queue=queue)
