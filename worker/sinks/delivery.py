"""From a queue to one sink, behind everybody's back: with time-outs, tries and pauses between them."""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass

from .notice import Notice
from .sink import Sink, SinkError, Undeliverable

__all__ = ["Delivery", "Patience"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How much is done for a notice."""

    #: Seconds that one try may take.
    timeout: float = 10.0
    #: Seconds before the second try, the third, and so on.
    pauses: tuple[float, ...] = (2.0, 10.0)
    #: How many notices may wait for one sink.
    waiting: int = 1000


class Delivery:
    """Takes notices to one sink, one after the other. A sink that is down keeps no other one waiting."""

    def __init__(self, sink: Sink, patience: Patience) -> None:
        """Do nothing yet."""
        self._sink = sink
        self._patience = patience
        self._waiting: deque[Notice] = deque()
        self._task: asyncio.Task[None] | None = None
        #: How many notices had to make room for newer ones.
        self.dropped = 0

    @property
    def task(self) -> "asyncio.Task[None] | None":
        """What delivers now, if there is anything to deliver."""
        return None if self._task is None or self._task.done() else self._task

    @property
    def undelivered(self) -> int:
        """How many notices have not been begun."""
        return len(self._waiting)

    def put(self, notice: Notice) -> None:
        """Deliver a notice soon; when too many wait, the oldest one goes."""
        if len(self._waiting) >= self._patience.waiting:
            self._waiting.popleft()
            self.dropped += 1
            if self.dropped.bit_count() == 1:  # the first, the second, the fourth …
                facts = {"action": "notices_dropped"}
                logger.warning("%s is too slow: %d notices dropped so far", self._sink.name, self.dropped, extra=facts)
        self._waiting.append(notice)
        if self.task is None:
            self._task = asyncio.get_running_loop().create_task(self._deliver_all())

    async def _deliver_all(self) -> None:
        while self._waiting:
            notice = self._waiting.popleft()
            facts = {"job_id": notice.job_id}
            if (why := await self._deliver(notice)) is None:
                logger.debug("%s took a notice", self._sink.name, extra={"action": "notice_delivered", **facts})
            else:
                logger.warning(
                    "%s did not take a notice: %s", self._sink.name, why, extra={"action": "notice_lost", **facts}
                )

    async def _deliver(self, notice: Notice) -> str | None:
        """Try until it works, and return `None`, or why it does not."""
        why = None
        for pause in (*self._patience.pauses, None):
            try:
                async with asyncio.timeout(self._patience.timeout):
                    await self._sink.deliver(notice)
                    return None
            except TimeoutError:
                why = f"it took longer than {self._patience.timeout:g} s"
            except Undeliverable as error:
                return str(error)
            except Exception as error:  # noqa: BLE001 - whatever happens to a sink, it is no concern of the job's
                why = _without_secrets(error)
            if pause is not None:
                await asyncio.sleep(pause)
        return why


def _without_secrets(error: Exception) -> str:
    """Return what a sink says, or what the system says; other texts may hold the URL."""
    if isinstance(error, SinkError):
        return str(error)
    name = type(error).__name__
    return f"{name}: {error.strerror}" if isinstance(error, OSError) and error.strerror else name
