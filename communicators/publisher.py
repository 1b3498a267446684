"""Telling many what jobs say: each subscriber gets every message, in order and at its own pace."""

import asyncio
import inspect
import itertools
import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any

from .messages import Heartbeat, LogLines, Message, Progress

__all__ = ["Publisher", "Subscription"]

logger = logging.getLogger(__name__)

#: Messages that may wait for one subscriber; beyond that, lines, progress and heartbeats make room, the oldest first. What
#: is left, ends and states and reports, is kept, however much it is.
_MOST_WAITING = 10_000
_DISPENSABLE = (LogLines, Progress, Heartbeat)

Subscriber = Callable[[Message], object]


class Subscription:
    """One subscriber, and what waits for it."""

    def __init__(self, subscriber: Subscriber) -> None:
        """Wait for messages; `Publisher.subscribe` makes it."""
        self._subscriber = subscriber
        self._waiting: OrderedDict[int, Message] = OrderedDict()
        self._numbers = itertools.count()
        #: The numbers of those that may make room, the oldest first; some may be delivered already.
        self._dispensable: deque[int] = deque()
        self._news, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._open = True
        #: How many messages have made room for newer ones.
        self.dropped = 0
        self._delivering = asyncio.create_task(self._deliver())

    @property
    def waiting(self) -> int:
        """How many messages the subscriber has not got yet."""
        return len(self._waiting)

    def put(self, message: Message) -> None:
        """Have a message delivered."""
        if not self._open:
            return
        number = next(self._numbers)
        self._waiting[number] = message
        if isinstance(message, _DISPENSABLE):
            self._dispensable.append(number)
        if len(self._waiting) > _MOST_WAITING:
            self._make_room()
        self._news.set()
        self._idle.clear()

    def is_in(self, task: "asyncio.Task[Any] | None") -> bool:
        """Whether the subscriber is called in a task."""
        return self._delivering is task

    async def flush(self) -> None:
        """Wait until the subscriber has got everything, or has left."""
        await self._idle.wait()

    def end(self) -> None:
        """Deliver no more; a subscriber may call this inside its callback."""
        self._open = False
        self._waiting.clear()
        self._news.set()
        self._idle.set()

    def abandon(self) -> "asyncio.Task[None]":
        """Deliver no more, not even what is under way; return what was delivering, which ends now."""
        self.end()
        self._delivering.cancel()
        return self._delivering

    async def _deliver(self) -> None:
        while self._open:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                _, message = self._waiting.popitem(last=False)
                await self._hand_over(message)
            self._dispensable.clear()
            self._idle.set()

    async def _hand_over(self, message: Message) -> None:
        try:
            answer = self._subscriber(message)
            if inspect.isawaitable(answer):
                await answer
        except Exception:  # whatever a subscriber does, the others and the jobs go on
            logger.exception("a subscriber raised", extra={"action": "subscriber_raised"})
        except asyncio.CancelledError:  # ours, or what a subscriber waited for
            if (ours := asyncio.current_task()) is None or ours.cancelling():
                raise
            logger.warning("a subscriber was cancelled", extra={"action": "subscriber_raised"})

    def _make_room(self) -> None:
        while self._dispensable:
            if self._waiting.pop(self._dispensable.popleft(), None) is not None:
                self.dropped += 1
                return


class Publisher:
    """Hands messages to subscribers: one that raises, is slow, never returns or leaves inside its callback disturbs nobody.

    All on one event loop. A function is called on it, and so must not block; one that waits is a coroutine function.
    """

    def __init__(self) -> None:
        """Start without subscribers."""
        self._subscriptions: list[Subscription] = []

    def subscribe(self, subscriber: Subscriber) -> Subscription:
        """Have a function, or a coroutine function, told of everything that is published from now on."""
        subscription = Subscription(subscriber)
        self._subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Tell a subscriber nothing more."""
        subscription.end()
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def publish(self, message: Message) -> None:
        """Tell all subscribers. Never waits and never raises."""
        for subscription in self._subscriptions:
            subscription.put(message)

    async def flush(self, timeout: float | None = None, *, but: "asyncio.Task[Any] | None" = None) -> int:
        """Wait until every subscriber has got what was published; return how many messages still wait after `timeout` s.

        `but` may be a task that waits for this itself: a subscriber in it is not waited for.
        """
        others = [subscription for subscription in self._subscriptions if not subscription.is_in(but)]
        flushing = [asyncio.ensure_future(subscription.flush()) for subscription in others]
        if flushing:
            _, pending = await asyncio.wait(flushing, timeout=timeout)
            for late in pending:
                late.cancel()
        return sum(subscription.waiting for subscription in self._subscriptions)

    async def close(self, timeout: float | None = None, *, but: "asyncio.Task[Any] | None" = None) -> int:
        """Deliver what was published, then let go of all subscribers; return how many messages could not be delivered."""
        lost = await self.flush(timeout, but=but)
        if lost:
            logger.warning("%d messages were not taken", lost, extra={"action": "messages_not_taken"})
        await asyncio.gather(*(subscription.abandon() for subscription in self._subscriptions), return_exceptions=True)
        self._subscriptions.clear()
        return lost
