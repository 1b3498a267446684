"""The two clients that run commands: a blocking one, and one for an event loop that pipelines by itself."""

import asyncio
import contextlib
import functools
import hashlib
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import redis
import redis.asyncio
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from ..config import shown
from ..config.errors import BrokerUnavailable
from .commands import Command, Word, server_time_ms
from .keys import WAKE_CHANNEL

__all__ = ["AsyncRedisClient", "RedisClient"]

T = TypeVar("T")

#: Blocking reads wait this much less than a socket may be silent.
_BLOCK_MARGIN = timedelta(seconds=1)
_AWAY = ("OOM", "READONLY", "MISCONF", "BUSY", "MASTERDOWN", "LOADING", "command not allowed when used memory")
_NOT_YET: Any = object()


@functools.cache
def _hash(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


def _words(command: Command[Any], *, whole_script: bool = False) -> Sequence[Word]:
    if command.script is None:
        return command.words
    if whole_script:
        return ("EVAL", command.script, command.keys, *command.words)
    return ("EVALSHA", _hash(command.script), command.keys, *command.words)


@contextlib.contextmanager
def _translated(url: str) -> Iterator[None]:
    """Say `BrokerUnavailable` for whatever redis-py raises."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise BrokerUnavailable(shown(url), str(error) or type(error).__name__) from error


class RedisClient:
    """Runs commands one at a time or in one pipeline, and blocks. Safe to share between threads and over a fork."""

    def __init__(self, url: str, timeout: timedelta) -> None:
        """Remember the server; nothing is connected before the first command.

        Args:
            url: redis-py's URL.
            timeout: how long to wait for a connection, and for an answer.
        """
        self.url = url
        self._timeout = timeout
        self._redis: Any = redis.Redis.from_url(
            url,
            protocol=2,
            socket_timeout=timeout.total_seconds(),
            socket_connect_timeout=timeout.total_seconds(),
            retry=Retry(NoBackoff(), 0),
        )
        self._clock_offset_ms: int | None = None

    @property
    def longest_block(self) -> timedelta:
        """How long a blocking read may wait without being taken for a dead connection."""
        return max(self._timeout - _BLOCK_MARGIN, self._timeout / 2)

    def run(self, command: Command[T]) -> T:
        """Ask one question.

        Raises:
            BrokerUnavailable: when there is no answer in time; else what the command's `read` raises.
        """
        with _translated(self.url):
            try:
                answer = self._execute(_words(command))
            except NoScriptError:
                answer = self._execute(_words(command, whole_script=True))
        return command.read(answer)

    def run_many(self, commands: Sequence[Command[T]]) -> list[T | Exception]:
        """Ask many questions in one round trip; the answer to each is its value or what its `read` raised."""
        with _translated(self.url):
            for script in {command.script for command in commands if command.script}:
                self._execute(("SCRIPT", "LOAD", script))
            pipeline = self._redis.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*_words(command))
            answers = pipeline.execute(raise_on_error=False)
        return list(map(_read, commands, answers))

    def server_time_ms(self) -> int:
        """Return the server's time; asked once, then kept by this machine's clock."""
        if self._clock_offset_ms is None:
            self._clock_offset_ms = self.run(server_time_ms()) - int(time.monotonic() * 1000)
        return int(time.monotonic() * 1000) + self._clock_offset_ms

    def forget_server_time(self) -> None:
        """Ask for the server's time again when it is next needed: its clock, or ours, may have been set."""
        self._clock_offset_ms = None

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _execute(self, words: Sequence[Word]) -> Any:
        return self._redis.execute_command(*words)


class AsyncRedisClient:
    """Runs the commands of many coroutines of one event loop over one connection.

    Whatever is asked while a batch is under way goes into the next one, so a busy worker needs few round trips and an idle
    one waits for none. Order is kept. While Redis is away, commands wait, and are asked again on return.
    """

    def __init__(self, url: str, timeout: timedelta, patience: timedelta = timedelta(0)) -> None:
        """Remember the server; nothing is connected before the first command.

        Args:
            url: redis-py's URL.
            timeout: how long to wait for a connection, and for an answer.
            patience: how long a command may wait for Redis to return before it fails.
        """
        self.url = url
        self._timeout = timeout
        self._patience = patience
        self._redis: Any = redis.asyncio.Redis.from_url(
            url,
            protocol=2,
            socket_timeout=timeout.total_seconds(),
            socket_connect_timeout=timeout.total_seconds(),
            retry=Retry(NoBackoff(), 0),
        )
        self._waiting: list[tuple[Command[Any], asyncio.Future[Any]]] = []
        self._flusher: asyncio.Task[None] | None = None

    @property
    def longest_block(self) -> timedelta:
        """How long a blocking read may wait without being taken for a dead connection."""
        return max(self._timeout - _BLOCK_MARGIN, self._timeout / 2)

    async def run(self, command: Command[T], *, patient: bool = True) -> T:
        """Ask one question, together with whatever else is asked now; impatiently, on its own and without a second try.

        Raises:
            BrokerUnavailable: when there is no answer within the patience; else what the command's `read` raises.
        """
        if not patient:
            return await self.run_blocking(command)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, future))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        return await future

    async def run_blocking(self, command: Command[T]) -> T:
        """Ask a question whose answer may take a while, such as XREAD BLOCK, on a connection of its own."""
        with _translated(self.url):
            try:
                answer = await self._redis.execute_command(*_words(command))
            except NoScriptError:
                answer = await self._redis.execute_command(*_words(command, whole_script=True))
        return command.read(answer)

    async def wake_ups(self) -> AsyncIterator[str]:
        """Yield the ids of jobs whose Executor has something to look at, for ever; `""` after each (re)connection."""
        while True:
            with contextlib.suppress(RedisError, OSError):
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(WAKE_CHANNEL)
                    yield ""
                    while True:
                        message = await subscription.get_message(
                            ignore_subscribe_messages=True, timeout=self.longest_block.total_seconds()
                        )
                        if message:
                            yield message["data"].decode(errors="replace")
            await asyncio.sleep(self._timeout.total_seconds() / 5)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                answers = await self._ask([command for command, _ in batch])
            except Exception as error:  # noqa: BLE001 - each caller gets it, translated below
                for _, future in batch:
                    if not future.done():
                        future.set_exception(_as_unavailable(self.url, error))
                continue
            for (command, future), answer in zip(batch, answers, strict=True):
                if future.done():
                    continue
                value = _read(command, answer)
                if isinstance(value, Exception):
                    future.set_exception(_as_unavailable(self.url, value))
                else:
                    future.set_result(value)

    async def _ask(self, commands: Sequence[Command[Any]]) -> list[Any]:
        """Send a batch; what finds Redis away, or unable to write, again and again until the patience is over."""
        deadline = time.monotonic() + self._patience.total_seconds()
        backoff = ExponentialBackoff(cap=1.0, base=0.02)
        answers: list[Any] = [_NOT_YET] * len(commands)
        failures = 0
        while True:
            open_ones = [i for i, answer in enumerate(answers) if answer is _NOT_YET]
            try:
                for i, answer in zip(open_ones, await self._ask_once([commands[i] for i in open_ones]), strict=True):
                    if not _is_away(answer) or time.monotonic() > deadline:
                        answers[i] = answer
            except (redis.ConnectionError, redis.TimeoutError, OSError):
                if time.monotonic() > deadline:
                    raise
            if _NOT_YET not in answers:
                return answers
            failures += 1
            await asyncio.sleep(backoff.compute(failures))

    async def _ask_once(self, commands: Sequence[Command[Any]]) -> list[Any]:
        pipeline = self._redis.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*_words(command))
        answers = await pipeline.execute(raise_on_error=False)
        missing = [i for i, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        for i in missing:
            answers[i] = await self._redis.execute_command(*_words(commands[i], whole_script=True))
        return list(answers)


def _is_away(answer: Any) -> bool:
    """Whether Redis said that it cannot do this now: memory full, disk full, loading, read-only, busy."""
    return isinstance(answer, redis.ResponseError) and (
        isinstance(answer, redis.OutOfMemoryError | redis.ReadOnlyError) or str(answer).startswith(_AWAY)
    )


def _read(command: Command[T], answer: Any) -> T | Exception:
    if isinstance(answer, Exception):
        return answer
    try:
        return command.read(answer)
    except Exception as error:  # noqa: BLE001 - handed to the one who asked
        return error


def _as_unavailable(url: str, error: Exception) -> Exception:
    if isinstance(error, (RedisError, OSError)) and not isinstance(error, BrokerUnavailable):
        return BrokerUnavailable(shown(url), str(error) or type(error).__name__)
    return error
