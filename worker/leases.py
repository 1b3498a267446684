"""Keeping what a worker process holds: leases are renewed together, in one round trip for all of its jobs."""

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import timedelta

from ..communicators import Backend
from ..config.errors import BrokerUnavailable, Superseded
from .executor import Executor

__all__ = ["LeaseKeeper"]

logger = logging.getLogger(__name__)


class LeaseKeeper:
    """Renews the leases of the running Executors, and passes on what is wanted of each."""

    def __init__(self, backend: Backend, running: Mapping[str, Executor], lease: timedelta) -> None:
        """Keep the leases of whatever is in `running`."""
        self._backend = backend
        self._running = running
        self._lease = lease
        self._renewed = time.monotonic()

    async def keep(self) -> None:
        """Renew for ever, four times in a lease."""
        while True:
            if self._running:
                await self._renew_once()
            else:
                self._renewed = time.monotonic()
            await asyncio.sleep(self._lease.total_seconds() / 4)

    async def _renew_once(self) -> None:
        held = {job_id: executor.held for job_id, executor in self._running.items()}
        asked = time.monotonic()
        try:
            answers = await self._backend.renew(held, self._lease)
        except BrokerUnavailable as error:
            logger.warning("cannot renew %d leases: %s", len(held), error, extra={"action": "renewal_failed"})
            await self._stop_exclusive()
            return
        self._renewed = asked
        for job_id, wish in answers.items():
            executor = self._running.get(job_id)
            if executor is None or executor.held.token != held[job_id].token:
                continue  # it ended while we asked
            if wish is None:
                executor.superseded(Superseded(job_id))
            else:
                executor.upward.notice(wish)

    async def _stop_exclusive(self) -> None:
        """Before a lease that we cannot renew runs out, end the jobs that must never run twice at a time.

        Programs of other jobs run on; whether they are superseded is known when the ledger can be asked again.
        """
        if time.monotonic() - self._renewed < self._lease.total_seconds() / 2:
            return
        for executor in list(self._running.values()):
            if executor.held.spec.exclusive:
                await executor.hand_back("was stopped because its lease could not be renewed", at_once=True)
