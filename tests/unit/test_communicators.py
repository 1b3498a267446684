"""C1: one contract for all that carry messages, from both ends: the Executor's and the other party's."""

import asyncio
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from outrider import Finished, LogLines, Outcome, Progress, Report
from outrider.communicators import (
    Backend,
    Bounds,
    Cancel,
    Claim,
    Communicator,
    ExecutorLink,
    JobSpec,
    LedgerCommunicator,
    MemoryBackend,
    MemoryLedger,
    Message,
    Pause,
    PipeCommunicator,
    Provenance,
    Resume,
    SocketCommunicator,
    UserMessage,
    backend_at,
    commands,
)
from outrider.config.errors import LedgerError


@dataclass
class Line:
    """Two ends of one line: who speaks, who listens, and how the speaker says that there is no more."""

    speaker: Communicator
    listener: Communicator
    hang_up: Callable[[], Awaitable[None]]
    #: What the one who listens may say, where he is listened to.
    answers: tuple[Message, ...] = ()


class PrintingProgram(Communicator):
    """A program at the other end of the pipes: it can print, and hears nothing."""

    def __init__(self, pipe: PipeCommunicator) -> None:
        self._pipe = pipe

    async def open(self) -> None:
        """The pipes are made by the Executor."""

    async def read(self) -> Message | None:
        return None

    async def write(self, message: Message) -> None:
        os.write(self._pipe.write_ends["stdout"], "".join(f"{line}\n" for line in message.lines).encode())

    async def close(self) -> None:
        self._pipe.hand_over()


class TaskProcess(Communicator):
    """A first-party task's end of the socket; its link blocks, and so lives in threads."""

    def __init__(self, path: Path) -> None:
        self._link = ExecutorLink.connect(path)

    async def open(self) -> None:
        """The link is connected when it is made."""

    async def read(self) -> Message | None:
        return await asyncio.to_thread(self._link.receive)

    async def write(self, message: Message) -> None:
        await asyncio.to_thread(self._link.send, message)

    async def close(self) -> None:
        await asyncio.to_thread(self._link.close)


@asynccontextmanager
async def pipe_line(tmp_path: Path, _url: str) -> AsyncIterator[Line]:
    pipe = PipeCommunicator({"stdout": tmp_path / "out"}, interval_seconds=0.01)
    await pipe.open()
    program = PrintingProgram(pipe)
    yield Line(program, pipe, program.close)
    await pipe.close()


@asynccontextmanager
async def socket_line(_tmp_path: Path, _url: str) -> AsyncIterator[Line]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = Path(folder) / "ours" / "s"
        executor = SocketCommunicator(path)
        await executor.open()
        executor.trust(os.getpid())
        task = await asyncio.to_thread(TaskProcess, path)

        async def hang_up() -> None:
            await task.close()
            await executor.wait_drained(5)
            await executor.close()

        yield Line(task, executor, hang_up, (Cancel(), UserMessage(value={"n": 1}), Pause(), Resume()))
        await hang_up()


def spec() -> JobSpec:
    return JobSpec(id=uuid.uuid4().hex, task="t", version="1", parameters={}, queue="q")


@asynccontextmanager
async def ledger_line(_tmp_path: Path, url: str) -> AsyncIterator[Line]:
    """C3: the same words for every back-end; the URL makes the difference."""
    bounds, job = Bounds(10_000, timedelta(minutes=1)), spec()
    backend = backend_at(url, bounds, timedelta(seconds=5))
    held = await claimed(backend, job, bounds)
    executor = LedgerCommunicator(held, backend.ledger)
    await executor.open()

    async def pass_on_wake_ups() -> None:
        async for job_id in backend.wake_ups():
            backend.ledger.wake(job_id)

    async def hang_up() -> None:
        await executor.close()
        with suppress(LedgerError):
            await backend.ledger.close(held, Outcome(state="succeeded"), Provenance())

    waking = asyncio.create_task(pass_on_wake_ups())
    async with backend.watching(job.id, timeout=10) as watcher:
        yield Line(executor, watcher, hang_up, (Pause(), UserMessage(value={"n": 1}), Resume(), Cancel()))
        await hang_up()
        await watcher.close()
    waking.cancel()
    await asyncio.wait([waking])
    await backend.close()


async def claimed(backend: Backend, job: JobSpec, bounds: Bounds) -> Claim:
    if isinstance(backend, MemoryBackend):
        backend.ledger.open(job)
        return backend.ledger.claim(job.id, "w")
    client = backend.ledger._client
    await client.run(commands.open_job(job, bounds))
    return await client.run(commands.claim(job.id, "c", "w", "", bounds, timedelta(minutes=1)))


LINES = {"pipe": pipe_line, "socket": socket_line, "memory": ledger_line, "redis": ledger_line}


@pytest.fixture(params=LINES)
def on_a_line(request, tmp_path, redis_server):
    """Run a coroutine on a line of each kind."""
    url = redis_server.url if request.param == "redis" else "memory:"

    def run(conversation: Callable[[Line], Awaitable[None]]) -> None:
        async def main() -> None:
            async with asyncio.timeout(30), LINES[request.param](tmp_path, url) as line:
                await conversation(line)

        asyncio.run(main())

    return run


def log(*lines: str) -> LogLines:
    return LogLines(stream="stdout", lines=lines, source="stdout")


async def heard(listener: Communicator) -> list[Message]:
    """Everything until the end, without what the ledger itself says."""
    found = []
    while (message := await listener.read()) is not None:
        if not isinstance(message, Finished) and message.kind != "state":
            found.append(message)
    return found


def lines_of(messages: list[Message]) -> list[str]:
    return [line for message in messages for line in message.lines]


def test_n_of_n_arrive_in_order_and_then_comes_the_end(on_a_line):
    async def conversation(line: Line) -> None:
        for n in range(200):
            await line.speaker.write(log(f"line {n}"))
        await line.hang_up()
        assert lines_of(await heard(line.listener)) == [f"line {n}" for n in range(200)]
        assert await line.listener.read() is None

    on_a_line(conversation)


def test_a_message_comes_before_the_next_is_written(on_a_line):
    async def conversation(line: Line) -> None:
        for n in range(3):
            await line.speaker.write(log(f"line {n}"))
            message = await line.listener.read()
            while message.kind == "state":
                message = await line.listener.read()
            assert message.lines == (f"line {n}",)

    on_a_line(conversation)


def test_it_goes_the_other_way_too_where_somebody_listens(on_a_line):
    async def conversation(line: Line) -> None:
        for answer in line.answers:
            await line.listener.write(answer)
            received = await line.speaker.read()
            assert (type(received), getattr(received, "value", None)) == (type(answer), getattr(answer, "value", None))

    on_a_line(conversation)


def test_what_the_other_party_cannot_understand_is_no_error(on_a_line):
    async def conversation(line: Line) -> None:
        await line.listener.write(Progress(done=1))
        await line.speaker.write(log("still here"))
        await line.hang_up()
        assert "still here" in lines_of([m for m in await heard(line.listener) if isinstance(m, LogLines)])

    on_a_line(conversation)


def test_writing_to_one_who_is_gone_neither_waits_nor_raises(on_a_line):
    async def conversation(line: Line) -> None:
        await line.hang_up()
        async with asyncio.timeout(2):
            await line.listener.write(Cancel())

    on_a_line(conversation)


def test_closing_twice_is_closing_once(on_a_line):
    async def conversation(line: Line) -> None:
        for _ in range(2):
            await line.listener.close()
            await line.speaker.close()

    on_a_line(conversation)


def test_c2_a_gap_in_a_sources_numbers_shows_what_was_dropped(redis_server):
    """While the ledger is away a bounded number is held, of each source in order."""

    class Away(MemoryLedger):
        is_back = asyncio.Event()

        async def emit(self, held, messages):
            await self.is_back.wait()
            return await super().emit(held, messages)

    async def main() -> None:
        ledger, job = Away(), spec()
        ledger.open(job)
        communicator = LedgerCommunicator(ledger.claim(job.id, "w"), ledger)
        await communicator.write(Progress(done=0, source="stdout"))
        await asyncio.sleep(0)
        for n in range(1, 1501):
            await communicator.write(log(f"line {n}"))
            await communicator.write(Progress(done=n, source="stderr"))
        Away.is_back.set()
        await communicator.close()
        said = [m for m in ledger.messages[job.id] if m.kind != "state"]
        for source in ("stdout", "stderr"):
            numbers = [m.sequence for m in said if m.source == source]
            assert numbers == sorted(numbers)
            assert numbers[-1] in (1500, 1501)
        dropped = sum(m.dropped for m in said if isinstance(m, LogLines))
        kept = sum(len(m.lines) for m in said if isinstance(m, LogLines))
        assert dropped + kept == 1500
        assert len(said) <= 1001

    asyncio.run(main())


def test_a_report_waits_for_room_and_is_never_dropped():
    class Slow(MemoryLedger):
        async def emit(self, held, messages):
            await asyncio.sleep(0.01)
            return await super().emit(held, messages)

    async def main() -> None:
        ledger, job = Slow(), spec()
        ledger.open(job)
        communicator = LedgerCommunicator(ledger.claim(job.id, "w"), ledger)
        for n in range(3000):
            await communicator.room()
            await communicator.write(Report(value=n))
        await communicator.close()
        assert [m.value for m in ledger.messages[job.id] if isinstance(m, Report)] == list(range(3000))

    asyncio.run(main())
