"""A producer's hold on one job."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import TypeAdapter

from ..communicators import (
    Artifact,
    AsyncRedisClient,
    Cursor,
    Finished,
    JobRecord,
    JobState,
    LogLines,
    Message,
    Outcome,
    Patience,
    Report,
    StoredFile,
    TaskletRun,
    UserMessage,
    WatcherCommunicator,
    Wish,
    backend_at,
    commands,
    pack,
    unpack,
)
from ..config.errors import BrokerUnavailable, OutriderError, WaitTimeout
from ..tasklets import SummaryPart
from .typed_result import job_error, job_result

if TYPE_CHECKING:
    from .client import Client

__all__ = ["Job"]

logger = logging.getLogger(__name__)

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

    def send(self, value: Any) -> JobState:
        """Send a value to the running task, or to the one that will run; each attempt gets all that was sent.

        A first-party task gets it by `messages()`, a program as a line of JSON on its `OUTRIDER_SOCKET`.

        Args:
            value: whatever may be a result; what is large goes by the artefact store.

        Raises:
            JobClosed: when the job has ended.
            TooManyMessages: when it was sent 1,000 already.
            CannotPack, ArtifactError: when the value cannot be sent.
        """
        packed = pack(value, self.client.store, f"{self.id}/sent", self.client.inline_limit)
        message = UserMessage(value=packed, source="producer")
        return self.client.redis.run(commands.send_message(self.id, message, self.client.bounds))

    def rerun(self, **changes: Any) -> "Job[Any]":
        """Submit the recorded parameters again, some of them changed, and return the new job; see docs/reproducing.md.

        Limits, retry policy, queue and tasklets are the recorded ones; the description is today's. A warning is logged
        when it, or the program as it is found here, has another version than in the record. Changed inputs may be named
        from the working directory.

        Raises:
            UnknownTask: when the task is not in the catalogue any more.
            InvalidParameters: when a parameter does not fit, or does not fit any more.
            UnknownTasklet, InvalidTasklet: when a tasklet is not there any more, or takes other arguments.
            QueueFull, BrokerUnavailable: as `submit` does.
        """
        return self.client.rerun(self.record(), changes)

    def artifacts(self) -> dict[str, StoredFile]:
        """Return the files that the task has asked to be kept, by name; after the end, all of them.

        Their content comes with `read()` or `save(path)`, from the artefact store.
        """
        found = [message for message in self._messages_now() if isinstance(message, Artifact)]
        kept = {message.name: message.reference for message in found if message.reference}
        outcome = self.record().outcome
        kept |= outcome.artifacts if outcome else {}
        return {name: StoredFile(reference, self.client.store, name) for name, reference in kept.items()}

    def tasklets(self) -> tuple[TaskletRun, ...]:
        """Return what became of the last attempt's tasklets, as far as they have ended, in order."""
        return self.record().tasklets

    def summary(self) -> dict[str, Any]:
        """Return the facts that tasklets have found so far, by name; of two of one name the later one counts."""
        parts = (part for run in self.tasklets() for part in run.parts)
        return {name: fact for part in parts if isinstance(part, SummaryPart) for name, fact in part.values.items()}

    def outputs(self, *, partial: bool = False) -> dict[str, Path]:
        """Return where the outputs of a job that has ended are, by field name. Waits for nothing.

        Args:
            partial: whether what a job that did not succeed has left will do; nobody vouches that such a file is whole.

        Raises:
            JobFailed, JobTimedOut, JobCancelled, JobLost: without `partial`, when the job did not succeed.
            WaitTimeout: when the job has not ended.
        """
        if (outcome := self.record().outcome) is None:
            raise WaitTimeout(self.id, 0)
        if outcome.state is not JobState.SUCCEEDED and not partial:
            raise job_error(self.id, outcome)
        return {name: output.path for name, output in outcome.outputs.items()}

    def watch(self, timeout: float | None = None, *, replay: bool = True) -> Iterator[Message]:
        """Yield where the job stands, if it has begun, then its messages as they come, until the terminal one.

        A Redis that goes away and returns is waited for; nothing is yielded twice.

        Args:
            timeout: seconds until `WaitTimeout` is raised; `None`: never.
            replay: whether to begin with the job's first message, as far as its stream goes back, or with the next one.

        Raises:
            WaitTimeout: when the job has not ended after `timeout` seconds.
            JobNotFound: when the record has expired.
        """
        redis, cursor = self.client.redis, Cursor(self.id, timeout)
        if not replay:
            cursor.skip_to(redis.run(commands.last_position(self.id)))
        if (snapshot := self.record().snapshot()) is not None:
            yield snapshot
        yield from map(self._unpacked, self._follow(cursor))

    async def watch_async(self, timeout: float | None = None, *, replay: bool = True) -> AsyncIterator[Message]:
        """Yield where the job stands, and then its messages, as `watch` does."""
        async with self._watcher(timeout, replay=replay) as watcher:
            if (snapshot := await watcher.snapshot()) is not None:
                yield snapshot
            while (news := await watcher.read()) is not None:
                yield await asyncio.to_thread(self._unpacked, news) if isinstance(news, Report) else news

    def _follow(self, cursor: Cursor) -> Iterator[Message]:
        redis, patience = self.client.redis, Patience()
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
        for message in self._follow(Cursor(self.id, timeout)):
            if isinstance(message, Finished):
                return message.outcome
        raise AssertionError("a watched job ends with its terminal message")

    async def wait_async(self, timeout: float | None = None) -> Outcome:
        """Wait for the job's end, as `wait` does."""
        async with self._watcher(timeout) as watcher:
            while (message := await watcher.read()) is not None:
                if isinstance(message, Finished):
                    return message.outcome
        raise AssertionError("a watched job ends with its terminal message")

    def result(self, timeout: float | None = None) -> R:
        """Wait for the job's end, and return its result, typed as the task's `read_result` says.

        Raises:
            JobFailed, JobTimedOut, JobCancelled, JobLost: with the reason and the last stderr lines.
            WaitTimeout: when it has not ended after `timeout` seconds.
            ArtifactUnavailable, ArtifactDamaged: when a part of it cannot be had from the artefact store.
        """
        return self._typed(self.wait(timeout))

    async def result_async(self, timeout: float | None = None) -> R:
        """Wait for the job's end, and return its result, as `result` does."""
        return await asyncio.to_thread(self._typed, await self.wait_async(timeout))

    def _watcher(
        self, timeout: float | None, *, replay: bool = True
    ) -> AbstractAsyncContextManager[WatcherCommunicator]:
        """Watch on connections of the running event loop: they belong to the one that made them."""
        client = self.client
        backend = backend_at(client.redis.url, client.bounds, timedelta(seconds=client.connect_seconds))
        return backend.watching(self.id, timeout=timeout, replay=replay)

    def _unpacked(self, message: Message) -> Message:
        """Return a report with its value as it was; what cannot be had any more stays as it travelled."""
        if not isinstance(message, Report):
            return message
        try:
            return message.model_copy(update={"value": unpack(message.value, self.client.store)})
        except OutriderError as error:
            logger.warning(
                "a report cannot be unpacked: %s", error, extra={"action": "not_unpacked", "job_id": self.id}
            )
            return message

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
        result: R = job_result(self.id, outcome, self._result_adapter, self.client.store)
        return result

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[AsyncRedisClient]:
        """Open a connection for one wait: connections belong to the event loop that made them."""
        redis = AsyncRedisClient(self.client.redis.url, timedelta(seconds=self.client.connect_seconds))
        try:
            yield redis
        finally:
            await redis.close()
