"""The row about a large object from a first-party child to its Executor, beside `multiprocessing.Pipe`."""

import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lab import Lab, Side
from table import Aim, Row, ratio_row

from outrider.communicators import ExecutorLink, Report, SocketCommunicator, UserMessage

__all__ = ["large_object"]

_PAGE = 4096
_TRANSFERS = 3


def large_object(lab: Lab) -> list[Row]:
    """Time from asking for the object until the receiver has looked at each page of it."""
    mebibytes = lab.scaled(1024, 128)
    measure = {Side.OURS: lambda: asyncio.run(_through_socket(lab.folder, mebibytes)), Side.PLAIN: _pipe(mebibytes)}

    def rate(side: Side) -> float:
        """Return MiB per second."""
        return mebibytes / statistics.median(measure[side]())

    name = f"{mebibytes} MiB {type(_large(1)).__name__}, child to Executor; not Celery but multiprocessing.Pipe"
    return [ratio_row(name, "MiB/s", lab.rounds(rate, lab.scaled(3, 2)), Aim.at_least(1, "times"))]


async def _through_socket(folder: Path, mebibytes: int) -> list[float]:
    path = folder / "private" / "socket"
    communicator = SocketCommunicator(path)
    await communicator.open()
    child = multiprocessing.get_context("spawn").Process(target=_speak, args=(path, mebibytes))
    child.start()
    communicator.trust(child.pid or 0)
    await communicator.read()  # it is ready
    times = []
    for _ in range(_TRANSFERS):
        begun = time.perf_counter()
        await communicator.write(UserMessage(value="go"))
        message = await communicator.read()
        _look_at(getattr(message, "value", b""))
        times.append(time.perf_counter() - begun)
        del message
    await asyncio.to_thread(child.join)
    await communicator.close()
    return times


def _speak(path: Path, mebibytes: int) -> None:
    value = _large(mebibytes)
    with ExecutorLink.connect(path) as link:
        link.send(Report(value="ready"))
        for _ in range(_TRANSFERS):
            link.receive()
            link.send(Report(value=value))


def _pipe(mebibytes: int) -> Callable[[], list[float]]:
    def measure() -> list[float]:
        ours, theirs = multiprocessing.Pipe()
        child = multiprocessing.get_context("spawn").Process(target=_send, args=(theirs, mebibytes))
        child.start()
        ours.recv()  # it is ready
        times = []
        for _ in range(_TRANSFERS):
            begun = time.perf_counter()
            ours.send("go")
            value = ours.recv()
            _look_at(value)
            times.append(time.perf_counter() - begun)
            del value
        child.join()
        return times

    return measure


def _send(connection: "Connection[Any, Any]", mebibytes: int) -> None:
    value = _large(mebibytes)
    connection.send("ready")
    for _ in range(_TRANSFERS):
        connection.recv()
        connection.send(value)


def _large(mebibytes: int) -> Any:
    """Return a numpy array, or bytes where there is no numpy."""
    try:
        import numpy as np
    except ImportError:
        return b"x" * (mebibytes << 20)
    return np.ones((mebibytes, 1 << 17))


def _look_at(value: Any) -> int:
    return sum(memoryview(value).cast("B")[::_PAGE])
