"""A file that grows tells how far its program is."""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from outrider import Progress
from outrider.communicators import FileGrowthCommunicator

MIB = 2**20


def resize(path: Path, mebibytes: float) -> None:
    with path.open("ab") as file:
        os.truncate(file.fileno(), int(mebibytes * MIB))


@contextlib.asynccontextmanager
async def watching(path: Path, expected: Callable[[], int] = lambda: 4 * MIB) -> AsyncIterator[FileGrowthCommunicator]:
    growth = FileGrowthCommunicator(path, expected, interval_seconds=0.02)
    await growth.open()
    async with asyncio.timeout(10):
        yield growth
    await growth.close()


def test_e4_each_new_size_is_told_once_and_the_last_at_the_end(tmp_path):
    image = tmp_path / "image"

    async def main() -> list[Progress | None]:
        async with watching(image) as growth:
            told = []
            for size in (1, 2.5):
                resize(image, size)
                told.append(await growth.read())
            waiting = asyncio.create_task(growth.read())
            await asyncio.wait([waiting], timeout=0.2)
            assert not waiting.done()
            resize(image, 4)
            await growth.close()
            return [*told, await waiting, await growth.read()]

    expected = [Progress(done=done, total=4, unit="MiB", source="executor") for done in (1, 2.5, 4)]
    assert asyncio.run(main()) == [*expected, None]


def test_a_file_that_comes_late_or_goes_again_is_no_error(tmp_path):
    image = tmp_path / "image"

    async def main() -> list[Progress | None]:
        async with watching(image, expected=lambda: 0) as growth:
            waiting = asyncio.create_task(growth.read())
            await asyncio.wait([waiting], timeout=0.1)
            resize(image, 1)
            first = await waiting
            image.unlink()
            waiting = asyncio.create_task(growth.read())
            await asyncio.wait([waiting], timeout=0.1)
            await growth.close()
            return [first, await waiting]

    assert asyncio.run(main()) == [Progress(done=1, unit="MiB", source="executor"), None]


def test_an_expectation_that_takes_long_keeps_nobody_from_the_end(tmp_path):
    resize(tmp_path / "image", 1)
    never = threading.Event()

    async def main() -> list[Progress | None]:
        async with watching(tmp_path / "image", expected=lambda: never.wait(20) and 0) as growth:
            waiting = asyncio.create_task(growth.read())
            await asyncio.wait([waiting], timeout=0.1)
            assert not waiting.done()
            await growth.close()
            told = [await waiting, await growth.read()]
            never.set()
            return told

    assert asyncio.run(main()) == [Progress(done=1, unit="MiB", source="executor"), None]


@pytest.mark.parametrize("error", [ZeroDivisionError, OSError, ValueError])
def test_an_expectation_that_fails_costs_the_total_and_nothing_else(tmp_path, error, caplog):
    def expected() -> int:
        raise error("nobody knows")

    async def main() -> Progress | None:
        resize(tmp_path / "image", 1)
        async with watching(tmp_path / "image", expected) as growth:
            return await growth.read()

    assert asyncio.run(main()) == Progress(done=1, unit="MiB", source="executor")
    assert [(line.levelname, line.action) for line in caplog.records] == [("ERROR", "expected_size_unknown")]
