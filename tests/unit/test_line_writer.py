"""Lines to a driver that reads slowly, or not at all: what is due is kept, and the rest makes room."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable

import pytest

from outrider.client.driver.line_writer import LineWriter
from outrider.client.driver.protocol import AcceptedLine, LogLine


def answer(number: int) -> AcceptedLine:
    return AcceptedLine(job=str(number), task="t")


def news(number: int) -> LogLine:
    return LogLine(job=str(number), stream="stdout", lines=("x" * 100,), dropped=0)


def written(talk: Callable[[LineWriter], Awaitable[None]], read: bool = True) -> list[dict]:
    """Have a writer write to a pipe that is read only afterwards, and return what came out."""

    async def main() -> bytes:
        reading, writing = os.pipe()
        writer = LineWriter(writing)
        await asyncio.wait_for(talk(writer), 20)
        content = asyncio.create_task(asyncio.to_thread(read_all, reading))
        await asyncio.wait_for(writer.flush(), 20)
        writer.close()
        return await content

    return [json.loads(line) for line in asyncio.run(main()).splitlines()]


def read_all(descriptor: int) -> bytes:
    with open(descriptor, "rb") as file:
        return file.read()


def test_lines_come_in_order_and_none_is_lost_that_is_due():
    async def talk(writer):
        for number in range(20_000):
            (writer.answer if number % 10 == 0 else writer.tell)((answer if number % 10 == 0 else news)(number))

    lines = written(talk)
    numbers = [int(line["job"]) for line in lines]
    assert numbers == sorted(numbers)
    assert [number for number in numbers if number % 10 == 0] == list(range(0, 20_000, 10))
    assert numbers[-1] == 19_999, "the newest are kept"


def test_what_makes_room_is_counted_and_the_newest_thousand_stay():
    counts = []

    async def talk(writer):
        for number in range(50_000):
            writer.tell(news(number))
        counts.append(writer.dropped)

    lines = written(talk)
    assert len(lines) + counts[0] == 50_000
    assert [int(line["job"]) for line in lines][-1000:] == list(range(49_000, 50_000))
    assert len(lines) < 4_000


def test_no_more_is_asked_for_while_too_much_waits():
    async def talk(writer):
        for number in range(13_000):
            writer.answer(answer(number))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(writer.room(), 0.05)

    assert len(written(talk)) == 13_000


def test_a_closed_end_is_noticed_though_nothing_is_written():
    async def main():
        reading, writing = os.pipe()
        writer = LineWriter(writing)
        await asyncio.sleep(0)
        assert not writer.broken.is_set()
        os.close(reading)
        await asyncio.wait_for(writer.broken.wait(), 5)
        writer.answer(answer(1))
        await asyncio.wait_for(writer.flush(), 5)
        os.close(writing)

    asyncio.run(main())


def test_a_pipe_that_does_not_block_is_waited_for():
    async def talk(writer):
        os.set_blocking(writer._descriptor, False)
        for number in range(5_000):
            writer.answer(answer(number))

    assert len(written(talk)) == 5_000


def test_a_line_that_cannot_be_written_is_an_error_and_costs_no_other(caplog):
    class Odd(AcceptedLine):
        def to_line(self) -> bytes:
            raise RecursionError("too deep")

    async def talk(writer):
        writer.answer(Odd(job="7", task="t", ref="r"))
        writer.answer(answer(8))

    first, second = written(talk)
    assert (first["kind"], first["error"], first["ref"], first["job"]) == ("error", "RecursionError", "r", "7")
    assert second["job"] == "8"
