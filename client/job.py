"""A producer's hold on one job."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import TypeAdapter

from ..communicators import (
    AsyncRedisClient,
    Finished,
    JobRecord,
    JobState,
    LogLines,
    Message,
    Outcome,
    Wish,
    commands,
)
from ..config.errors import BrokerUnavailable, JobCancelled, JobError, JobFailed, JobLost, JobTimedOut
from .cursor import Cursor, Patience

if TYPE_CHECKING:
    from .client import Client

__all__ = ["Job"]

R = TypeVar("R")


class Job(Generic[R]):
    """One submitted run. It lives in the ledger: any process that knows the id can hold it, watch it and take its result.

    Every method that waits has a twin ending in `_async`.
    """

    def __init__(self, client: "Client", job_id: str, result_adapter: "TypeAdapter[Any] | None") -> None:
        """Hold a job; use `outrider.submit` or `outrider.job`."""
        self.client = client
        #: Given by the system; also the Celery task id.
        self.id = job_id
        self._result_adapter = result_adapter

    def __repr__(self) -> str:
        return f"<Job {self.id}>"

    def status(self) -> JobState:
        """Return where the job stands. Raises `JobNotFound` once the record has expired."""
        return self.client.redis.run(commands.read_state(self.id))

    def record(self) -> JobRecord:
        """Return all that the ledger knows about the job."""
        return self.client.redis.run(commands.read_record(self.id))

    def cancel(self) -> JobState:
        """Ask for the job's end, and return at once. Of a queued job it is the end; of a closed one it changes nothing."""
        return self._express(Wish.CANCEL)

    def pause(self) -> JobState:
        """Have the program and all that it started stand still; its clock stops, too. Returns at once.

        Raises:
            IllegalTransition: when the job is still queued.
        """
        return self._express(Wish.PAUSE)

    def resume(self) -> JobState:
        """Let a paused program go on. Returns at once."""
        return self._express(Wish.NOTHING)

    def watch(self, timeout: float | None = None) -> Iterator[Message]:
        """Yield every message of the job from the first on, as they come, until the terminal one.

        A Redis that goes away and returns is waited for; nothing is yielded twice.

        Raises:
            WaitTimeout: when the job has not ended after `timeout` seconds.
        """
        redis, cursor, patience = self.client.redis, Cursor(self.id, timeout), Patience()
        while not cursor.finished:
            command = cursor.next_read(redis.longest_block)
            try:
                messages = cursor.take(redis.run(command))
                if not messages:  # a record that is gone raises; one that is closed ends the watch in any case
                    messages = cursor.take_end(redis.run(commands.read_record(self.id)))
                patience.answered()
            except BrokerUnavailable as error:
                time.sleep(patience.pause_after(error))
                continue
            yield from messages

    async def watch_async(self, timeout: float | None = None) -> AsyncIterator[Message]:
        """Yield every message, as `watch` does."""
        cursor, patience = Cursor(self.id, timeout), Patience()
        async with self.connected() as redis:
            while not cursor.finished:
                command = cursor.next_read(redis.longest_block)
                try:
                    messages = cursor.take(await redis.run_blocking(command))
                    if not messages:
                        messages = cursor.take_end(await redis.run(commands.read_record(self.id)))
                    patience.answered()
                except BrokerUnavailable as error:
                    await asyncio.sleep(patience.pause_after(error))
                    continue
                for message in messages:
                    yield message

    def logs(self, *, follow: bool = False) -> Iterator[LogLines]:
        """Yield the program's newest lines, as far as the stream keeps them; with `follow`, go on until the job ends.

        All of its output is in the job's directory: `record().run.directory`.
        """
        messages = self.watch() if follow else iter(self._messages_now())
        yield from (message for message in messages if isinstance(message, LogLines))

    async def logs_async(self, *, follow: bool = False) -> AsyncIterator[LogLines]:
        """Yield the program's newest lines, as `logs` does."""
        if not follow:
            for message in await asyncio.to_thread(self._messages_now):
                if isinstance(message, LogLines):
                    yield message
            return
        async for message in self.watch_async():
            if isinstance(message, LogLines):
                yield message

    def wait(self, timeout: float | None = None) -> Outcome:
        """Wait for the job's end, and return how it ended.

        Raises:
            WaitTimeout: when it has not ended after `timeout` seconds.
        """
        for message in self.watch(timeout):
            if isinstance(message, Finished):
                return message.outcome
        raise AssertionError("a watched job ends with its terminal message")

    async def wait_async(self, timeout: float | None = None) -> Outcome:
        """Wait for the job's end, as `wait` does."""
        async for message in self.watch_async(timeout):
            if isinstance(message, Finished):
                return message.outcome
        raise AssertionError("a watched job ends with its terminal message")

    def result(self, timeout: float | None = None) -> R:
        """Wait for the job's end, and return its result, typed as the task's `read_result` says.

        Raises:
            JobFailed, JobTimedOut, JobCancelled, JobLost: with the reason and the last stderr lines.
            WaitTimeout: when it has not ended after `timeout` seconds.
        """
        return self._typed(self.wait(timeout))

    async def result_async(self, timeout: float | None = None) -> R:
        """Wait for the job's end, and return its result, as `result` does."""
        return self._typed(await self.wait_async(timeout))

    def _express(self, wish: Wish) -> JobState:
        return self.client.redis.run(commands.express_wish(self.id, wish, self.client.bounds))

    def _messages_now(self) -> list[Message]:
        cursor, found = Cursor(self.id, None), list[Message]()
        while batch := cursor.take(self.client.redis.run(cursor.read_now())):
            found += batch
        if not found:
            self.status()
        return found

    def _typed(self, outcome: Outcome) -> R:
        if outcome.state is not JobState.SUCCEEDED:
            raise _job_error(self.id, outcome)
        result: R = outcome.result
        if self._result_adapter is not None:
            result = self._result_adapter.validate_python(outcome.result, context={"from": "ledger"})
        return result

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[AsyncRedisClient]:
        """Open a connection for one wait: connections belong to the event loop that made them."""
        redis = AsyncRedisClient(self.client.redis.url, timedelta(seconds=self.client.connect_seconds))
        try:
            yield redis
        finally:
            await redis.close()


def _job_error(job_id: str, outcome: Outcome) -> JobError:
    match outcome.state:
        case JobState.TIMED_OUT:
            return JobTimedOut(job_id, outcome.message)
        case JobState.CANCELLED:
            return JobCancelled(job_id, outcome.message)
        case JobState.LOST:
            return JobLost(job_id, outcome.message)
        case _:
            return JobFailed(job_id, str(outcome.reason), outcome.message)
