"""Those who speak to a socket communicator in tests: in threads of this process, and in processes of their own."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from outrider.communicators import ExecutorLink, Message, SocketCommunicator


@contextlib.asynccontextmanager
async def listening(path: Path, trusted: int | None = os.getpid()) -> AsyncIterator[SocketCommunicator]:
    """Listen at a path; the process that may send frames is this one, unless another is named or none."""
    communicator = SocketCommunicator(path, {"job_id": "job-1"})
    await communicator.open()
    if trusted is not None:
        communicator.trust(trusted)
    try:
        yield communicator
    finally:
        await communicator.close()


async def until(condition: Callable[[], object], message: str, seconds: float = 15.0) -> None:
    """Let the event loop go on until the condition holds; fail with the message when it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s: {message}")
        await asyncio.sleep(0.005)


async def somebody_is_there(communicator: SocketCommunicator) -> None:
    """Wait until a connection was let in."""
    await until(lambda: communicator._peers, "somebody has connected")


async def rest_of(communicator: SocketCommunicator) -> list[Message]:
    """Return what can be read until the communicator is closed."""
    messages = []
    while (message := await communicator.read()) is not None:
        messages.append(message)
    return messages


async def all_of(communicator: SocketCommunicator, seconds: float = 30) -> list[Message]:
    """Return what is said until everybody has gone."""
    reading = asyncio.create_task(rest_of(communicator))
    await communicator.wait_drained(seconds)
    await communicator.close()
    return await reading


def heard(path: Path, speak: Callable[[Path], Any], trusted: int | None = os.getpid()) -> list[Message]:
    """Return what the Executor hears of one who speaks in a thread of this process."""

    async def main() -> list[Message]:
        async with listening(path, trusted) as communicator:
            speaking = asyncio.create_task(asyncio.to_thread(speak, path))
            await until(lambda: communicator._peers or speaking.done(), "it has connected")
            messages, _ = await asyncio.gather(all_of(communicator), speaking)
            return messages

    return asyncio.run(main())


def connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(str(path))
    return connection


def raw(data: bytes) -> Callable[[Path], None]:
    """Speak bytes, and listen until the Executor has closed the connection."""

    def speak(path: Path) -> None:
        with connected(path) as connection, contextlib.suppress(OSError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1000):
                pass

    return speak


def through_a_link(*messages: Message) -> Callable[[Path], None]:
    """Speak as a first-party task does."""

    def speak(path: Path) -> None:
        with ExecutorLink.connect(path) as link:
            for message in messages:
                link.send(message)

    return speak


def start_child(path: Path, code: str) -> subprocess.Popen[bytes]:
    """Start a Python process that has a `link` to the Executor."""
    lines = "import os, sys; from outrider.communicators import *; link = ExecutorLink.connect(sys.argv[1]); "
    return subprocess.Popen([sys.executable, "-W", "error", "-c", lines + code, str(path)])


def log_actions(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.action for record in caplog.records if hasattr(record, "action")]
