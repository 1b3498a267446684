"""Has one tasklet of a job run, here or on a queue, and shows signs of life meanwhile."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from ..communicators import Claim, Heartbeat, LedgerCommunicator
from ..tasklets import Tasklet, TaskletCall
from .job_directory import JobDirectory
from .process_table import Usage
from .site import Site
from .tasklet_call import TaskletAnswer, TaskletEnd, TaskletRequest
from .tasklet_site import SentTasklet, TaskletSite

__all__ = ["TaskletCarrier"]

#: What a tasklet may take when neither the job nor the tasklet says so.
_TIME_LIMIT = timedelta(minutes=10)


class TaskletCarrier:
    """Carries out the tasklets of one attempt, one at a time. One that is to end now is stopped, and says so."""

    def __init__(self, held: Claim, directory: JobDirectory, upward: LedgerCommunicator, site: Site) -> None:
        """Run them in the attempt's working directory."""
        self._held = held
        self._directory = directory
        self._upward = upward
        self._site = site
        self._listening = False
        #: The process that the tasklet is forked from, and its cookie.
        self._runner: tuple[int, str] | None = None

    async def carry_out(
        self,
        call: TaskletCall,
        tasklet: Tasklet[..., Any],
        run_id: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> TaskletAnswer:
        """Return what came of a call; when the attempt is to end meanwhile, nothing of the call is left."""
        request = TaskletRequest(
            name=tasklet.name,
            args=tuple(args),
            kwargs=dict(kwargs),
            directory=self._directory.work,
            folder=self._directory.tasklets,
            time_limit=call.time_limit or tasklet.time_limit or _TIME_LIMIT,
        )
        self._runner = None
        if not self._listening:
            self._listening = True
            self._upward.wake()  # somebody may have wanted something before we listened
        working = asyncio.create_task(self._answer(call, run_id, request))
        ending = asyncio.create_task(self._upward.ending.wait())
        beating = asyncio.create_task(self._heartbeats())
        try:
            await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            return TaskletAnswer(ended=TaskletEnd.STOPPED, error="was stopped")
        finally:
            for task in (working, ending, beating):
                task.cancel()
            await asyncio.wait({working, ending, beating})

    async def _answer(self, call: TaskletCall, run_id: str, request: TaskletRequest) -> TaskletAnswer:
        site = self._site.tasklets
        if site is None:
            return TaskletAnswer(ended=TaskletEnd.RAISED, error="nothing here runs tasklets")
        if call.queue:
            return await self._from_queue(site, SentTasklet(run_id, call.queue, self._held.spec.id, request))
        return await site.pool.run(request, self._note_runner)

    async def _from_queue(self, site: TaskletSite, sent: SentTasklet) -> TaskletAnswer:
        if site.send is None:
            return TaskletAnswer(
                ended=TaskletEnd.RAISED, error=f"there is no way to the queue {sent.queue!r} from here"
            )
        begun = time.monotonic()
        answer = await site.send(sent)
        return answer.model_copy(update={"elapsed_seconds": answer.elapsed_seconds or time.monotonic() - begun})

    def _note_runner(self, pid: int, cookie: str) -> None:
        self._runner = (pid, cookie)

    async def _heartbeats(self) -> None:
        begun = time.monotonic()
        while True:
            await asyncio.sleep(self._site.heartbeat_interval.total_seconds())
            pid, usage = os.getpid(), Usage()
            if self._runner:
                pid, usage = self._runner[0], await self._site.processes.of_attempt(self._runner[1])
            beat = Heartbeat(
                pid=pid,
                elapsed_seconds=round(time.monotonic() - begun, 3),
                rss=usage.rss,
                cpu_seconds=usage.cpu_seconds,
                source="executor",
            )
            await self._upward.write(beat)
