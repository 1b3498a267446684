"""Between an Executor and whoever watches its job: messages out through the ledger, wishes in."""

import asyncio
import contextlib
import logging
from collections import deque

from ..config.errors import LedgerError, OutriderError
from .communicator import Communicator
from .ledger import Ledger
from .messages import Cancel, LogLines, Message, Pause, Resume
from .record import Claim, Wish

__all__ = ["LedgerCommunicator"]

logger = logging.getLogger(__name__)

#: Messages held while the ledger cannot be reached; then the oldest make room, and what went is counted.
_BUFFER = 1000


class LedgerCommunicator(Communicator):
    """Writes an attempt's messages to the ledger, as many at a time as have come while the last ones were under way."""

    def __init__(self, held: Claim, ledger: Ledger) -> None:
        """Speak for the attempt that `held` names."""
        self._held = held
        self._ledger = ledger
        self._buffer: deque[Message] = deque()
        self._sequences: dict[str, int] = {}
        self._dropped_lines = 0
        self._flusher: asyncio.Task[None] | None = None
        self._wishes: asyncio.Queue[Cancel | Pause | Resume | LedgerError] = asyncio.Queue()
        self._wish = Wish.NOTHING
        self._ask_again = False

    async def open(self) -> None:
        """Nothing to make ready."""

    async def read(self) -> Message | None:
        """Return the next wish.

        Raises:
            LedgerError: when another attempt owns the job now, or nobody does: the Executor must stop.
        """
        wish = await self._wishes.get()
        if isinstance(wish, LedgerError):
            raise wish
        return wish

    async def write(self, message: Message) -> None:
        """Number the message and send it with the next batch."""
        sequence = self._sequences[message.source] = self._sequences.get(message.source, 0) + 1
        if self._dropped_lines and isinstance(message, LogLines):
            message = message.model_copy(update={"dropped": message.dropped + self._dropped_lines})
            self._dropped_lines = 0
        if len(self._buffer) == _BUFFER and isinstance(oldest := self._buffer.popleft(), LogLines):
            self._dropped_lines += len(oldest.lines) + oldest.dropped
        self._buffer.append(message.model_copy(update={"sequence": sequence}))
        self._start_flushing()

    def wake(self) -> None:
        """Ask the ledger whether somebody wants something; an answer that is under way may be older than the wish."""
        self._ask_again = True
        self._start_flushing()

    def notice(self, wish: Wish) -> None:
        """Take note of what the ledger says is wanted; only what is new counts."""
        if wish == self._wish:
            return
        self._wish = wish
        match wish:
            case Wish.CANCEL:
                self._wishes.put_nowait(Cancel())
            case Wish.PAUSE:
                self._wishes.put_nowait(Pause())
            case Wish.NOTHING:
                self._wishes.put_nowait(Resume())

    def refuse(self, refusal: LedgerError) -> None:
        """Take note that the claim is void."""
        self._wishes.put_nowait(refusal)

    async def close(self) -> None:
        """Wait until everything is written, or the ledger has given up."""
        if self._flusher is not None:
            with contextlib.suppress(OutriderError):
                await self._flusher

    def _start_flushing(self) -> None:
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        while True:
            batch = list(self._buffer)
            self._buffer.clear()
            self._ask_again = False
            try:
                self.notice(await self._ledger.emit(self._held, batch))
            except LedgerError as refusal:
                self.refuse(refusal)
                return
            except Exception as error:  # noqa: BLE001 - a message that cannot be sent must not keep the job from its end
                facts = {"action": "messages_lost", "job_id": self._held.spec.id, "attempt": self._held.attempt}
                logger.warning("%d messages were lost: %s", len(batch), error, extra=facts)
                return
            if not self._buffer and not self._ask_again:
                return
