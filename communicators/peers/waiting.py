"""Waiting on the running event loop for what is not its own: sockets, and work in threads."""

import asyncio
import contextlib
import select
import socket
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["in_thread", "is_readable", "readable", "writable"]

T = TypeVar("T")


def is_readable(connection: socket.socket) -> bool:
    """Return whether something can be received, or somebody be accepted, now."""
    looking = select.poll()
    looking.register(connection, select.POLLIN)
    return bool(looking.poll(0))


async def readable(connection: socket.socket) -> None:
    """Wait until something can be received, or the other end is gone."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(connection, _set, ready)
    try:
        await ready
    finally:
        loop.remove_reader(connection)


async def writable(connection: socket.socket) -> None:
    """Wait until something can be sent, or the other end is gone."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_writer(connection, _set, ready)
    try:
        await ready
    finally:
        loop.remove_writer(connection)


async def in_thread(function: Callable[..., T], *arguments: Any, unwanted: Callable[[T], None] | None = None) -> T:
    """Return what a function returns that runs in a thread. It runs also when we are cancelled, so it can let go of things.

    Args:
        function: what to run.
        arguments: its arguments.
        unwanted: takes what it returns after we were cancelled.
    """
    work = asyncio.get_running_loop().run_in_executor(None, function, *arguments)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        if unwanted is not None:
            work.add_done_callback(lambda done: None if done.exception() else unwanted(done.result()))
        raise


def _set(ready: "asyncio.Future[None]") -> None:
    with contextlib.suppress(asyncio.InvalidStateError):
        ready.set_result(None)
