"""Blocking calls that may hang."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from .sink import SinkError

__all__ = ["LoneThread"]

T = TypeVar("T")


class LoneThread:
    """Runs blocking calls in a thread, one at a time. One that hangs holds no other, and keeps no process from ending."""

    def __init__(self, name: str) -> None:
        """Start nothing yet."""
        self._name = name
        self._busy = threading.Lock()

    async def run(self, call: Callable[[], T]) -> T:
        """Run a call and return what it returns. When this is cancelled, the call goes on.

        Raises:
            SinkError: when an earlier one still goes on.
        """
        if not self._busy.acquire(blocking=False):
            raise SinkError("it still hangs in an earlier try")
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[T] = loop.create_future()

        def work() -> None:
            try:
                tell = partial(_tell, ended.set_result, call())
            except Exception as error:  # noqa: BLE001 - whoever waits gets it
                tell = partial(_tell, ended.set_exception, error)
            finally:
                self._busy.release()
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(tell)

        threading.Thread(target=work, name=self._name, daemon=True).start()
        return await ended


def _tell(tell: Callable[[Any], None], what: Any) -> None:
    with contextlib.suppress(asyncio.InvalidStateError):  # cancelled
        tell(what)
