"""A function that is running: on the event loop, or in a thread. It can be asked to end, and not be made to."""

import asyncio
import contextlib
import ctypes
import functools
import inspect
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from ..tasks import Cancelled, Channel, context_of
from .plain_call import PlainCall

__all__ = ["CallEnd", "CallRun", "LoopCall", "Start", "ThreadCall", "interrupt_thread", "new_thread"]


#: How long after an interruption that was ignored there is another.
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class CallEnd:
    """What a function returned, or raised."""

    value: Any = None
    error: BaseException | None = None


class CallRun(ABC):
    """A function that was called."""

    #: On the Executor's loop.
    ended: "asyncio.Future[CallEnd]"

    def __init__(self, channel: Channel) -> None:
        """Start it."""
        self._channel = channel
        self._interrupted = False

    def interrupt(self) -> None:
        """Raise `Cancelled` in a function, or cancel a coroutine, unless it looks after itself by asking `cancelled`."""
        self._channel.cancel()
        if not (self._channel.asked_if_cancelled or self._interrupted or self.ended.done()):
            self._interrupted = True
            self._interrupt()

    @abstractmethod
    def _interrupt(self) -> None:
        """Interrupt it."""


#: Calls a function and returns at once; on the Executor's loop.
Start = Callable[[PlainCall, Channel], CallRun]


class LoopCall(CallRun):
    """A coroutine on the Executor's own loop."""

    def __init__(self, call: PlainCall, channel: Channel) -> None:
        """Call it soon."""
        super().__init__(channel)
        self.ended = asyncio.create_task(_end_of(call.function), context=context_of(channel))

    def _interrupt(self) -> None:
        self.ended.cancel()


class ThreadCall(CallRun):
    """A function in a thread. One that cannot be interrupted, since it waits for the system, ends when it ends."""

    def __init__(
        self,
        call: PlainCall,
        channel: Channel,
        spawn: Callable[[Callable[[], None]], None],
        interrupt: Callable[[int], None],
    ) -> None:
        """Call it soon.

        Args:
            call: what is called.
            channel: through which it speaks.
            spawn: has something run in the thread that is meant.
            interrupt: raises `Cancelled` in a thread, by its identifier.
        """
        super().__init__(channel)
        self._function = call.function
        self._context = context_of(channel)
        self._interrupt_thread = interrupt
        self._loop = asyncio.get_running_loop()
        self.ended = self._loop.create_future()
        self._lock = threading.Lock()
        _notice_what_is_ignored()
        #: The thread in which the function runs, for as long as it does; and the coroutine that it has made.
        self._thread: int | None = None
        self._coroutine: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None
        spawn(self._run)

    @property
    def is_in_function(self) -> bool:
        """Whether the function has begun and not ended."""
        return self._thread is not None

    def interrupt_again(self) -> None:
        """Interrupt once more in a moment: Python has ignored it, as it does in a destructor or the like."""
        again = functools.partial(self._loop.call_later, _PAUSE_SECONDS, self._interrupt)
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(again)

    def _interrupt(self) -> None:
        with self._lock:
            if self._coroutine is not None:
                loop, task = self._coroutine
                loop.call_soon_threadsafe(task.cancel)
            elif self._thread is not None:
                self._interrupt_thread(self._thread)

    def _run(self) -> None:
        try:
            end = self._call()
        except Cancelled as error:  # it came when the function had just ended
            end = CallEnd(error=error)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._set, end)

    def _call(self) -> CallEnd:
        self._thread = thread = threading.get_ident()
        _running[thread] = self
        try:
            value = self._context.run(self._function)
            if inspect.isawaitable(value):
                value = self._context.run(asyncio.run, self._awaited(value))
            end = CallEnd(value)
        except asyncio.CancelledError:
            end = CallEnd(error=Cancelled("the job was cancelled or ran into a limit"))
        except BaseException as error:  # noqa: BLE001 - whatever the function raises is its end
            end = CallEnd(error=error)
        with self._lock:
            self._thread = None
        _spare_thread(thread)
        _running.pop(thread, None)
        return end

    async def _awaited(self, value: Any) -> Any:
        task = asyncio.current_task()
        if task is None:
            raise AssertionError
        with self._lock:
            self._coroutine = asyncio.get_running_loop(), task
        if self._interrupted:  # it came before
            task.cancel()
        try:
            return await value
        finally:
            with self._lock:
                self._coroutine = None

    def _set(self, end: CallEnd) -> None:
        if not self.ended.done():
            self.ended.set_result(end)


#: The calls that run now, by their threads.
_running: dict[int, ThreadCall] = {}


def new_thread(run: Callable[[], None]) -> None:
    """Run something in a thread that keeps no interpreter from its end."""
    threading.Thread(target=run, name="outrider-call", daemon=True).start()


def interrupt_thread(thread: int) -> None:
    """Raise `Cancelled` in a thread, at the next step of its Python code."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Cancelled))


@functools.cache
def _notice_what_is_ignored() -> None:
    """Have it noticed, from now on, where Python ignores an interruption; all else is told as before."""
    sys.unraisablehook = functools.partial(_when_ignored, sys.unraisablehook)


def _when_ignored(otherwise: Callable[[Any], object], ignored: Any) -> None:
    call = _running.get(threading.get_ident())
    if call is not None and issubclass(ignored.exc_type, Cancelled):
        call.interrupt_again()
    else:
        otherwise(ignored)


def _spare_thread(thread: int) -> None:
    """Take back what `interrupt_thread` wanted, if it has not happened yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), None)


async def _end_of(function: Callable[[], Coroutine[Any, Any, Any]]) -> CallEnd:
    try:
        return CallEnd(await function())
    except asyncio.CancelledError:
        return CallEnd(error=Cancelled("the job was cancelled or ran into a limit"))
    except BaseException as error:  # noqa: BLE001 - whatever the function raises is its end
        return CallEnd(error=error)
