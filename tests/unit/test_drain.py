"""Draining costs little, and nobody waits for it."""

import asyncio
import contextlib
import fcntl
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from outrider.communicators.output.drain import Drain
from outrider.communicators.output.log_file import LogFile


class Watched(Drain):
    """It counts how often it was woken."""

    looks = 0

    def _look(self) -> None:
        self.looks += 1
        super()._look()


def draining(folder: Path, work: Callable[[Watched, int], Awaitable[None]]) -> Watched:
    """Drain a pipe while something writes to its other end."""

    async def main() -> Watched:
        reader, writer = os.pipe()
        drain = Watched(reader, LogFile(folder / "log"), asyncio.Event())
        try:
            await work(drain, writer)
        finally:
            with contextlib.suppress(OSError):
                os.close(writer)
        async with asyncio.timeout(10):
            await drain.ended.wait()
        return drain

    return asyncio.run(main())


def write_lines(writer: int, count: int, pause: float = 0.0) -> None:
    for _ in range(count):
        os.write(writer, b"one line of a program that flushes each\n")
        if pause:
            time.sleep(pause)


def test_a_program_that_writes_line_by_line_does_not_wake_us_for_each(tmp_path):
    async def work(drain: Watched, writer: int) -> None:
        await asyncio.to_thread(write_lines, writer, 2000, 0.0002)

    drain = draining(tmp_path, work)
    assert (tmp_path / "log").stat().st_size == 2000 * 40
    assert drain.looks < 500


def test_e6_lines_from_a_program_that_flushes_each_wait_for_nobody(tmp_path):
    """A drain that rests for too long would stop the program at a full pipe."""

    async def work(drain: Watched, writer: int) -> None:
        await asyncio.to_thread(write_lines, writer, 100_000)

    begun = time.monotonic()
    drain = draining(tmp_path, work)
    assert time.monotonic() - begun < 2
    assert (tmp_path / "log").stat().st_size == 100_000 * 40
    assert drain.looks < 10_000


@pytest.mark.alone
def test_what_trickles_is_seen_at_once_also_after_a_flood(tmp_path):
    late: list[float] = []

    async def work(drain: Watched, writer: int) -> None:
        await asyncio.to_thread(write_lines, writer, 20_000)
        for _ in range(5):
            await asyncio.sleep(0.05)  # what was written before is seen by now
            drain._news.clear()
            os.write(writer, b"x\n")
            written = time.monotonic()
            await drain._news.wait()
            late.append(time.monotonic() - written)

    draining(tmp_path, work)
    assert min(late) < 0.005


@pytest.mark.skipif(int(Path("/proc/sys/fs/pipe-max-size").read_text()) < 1 << 20, reason="pipes are limited here")
def test_a_pipe_grows_when_it_was_found_well_filled(tmp_path):
    sizes: list[int] = []

    async def work(drain: Watched, writer: int) -> None:
        os.write(writer, b"x\n")
        await asyncio.sleep(0.05)
        sizes.append(fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ))
        os.write(writer, b"x" * 60_000)
        await asyncio.sleep(0.05)
        sizes.append(fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ))

    draining(tmp_path, work)
    assert sizes == [65_536, 1 << 20]


def test_nothing_is_looked_at_after_the_end(tmp_path):
    async def work(drain: Watched, writer: int) -> None:
        await asyncio.to_thread(write_lines, writer, 50, 0.0005)  # now it rests
        drain.close()
        drain.close()
        looks = drain.looks
        await asyncio.sleep(0.05)
        assert drain.looks == looks

    draining(tmp_path, work)
