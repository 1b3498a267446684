"""Between an Executor and whoever watches its job: messages out through the ledger, wishes in."""

import asyncio
import contextlib
import logging
from collections import Counter, deque

from ..config.errors import LedgerError, OutriderError
from .communicator import Communicator
from .ledger import Ledger
from .messages import Cancel, LogLines, Message, Pause, Resume, Stream, UserMessage
from .record import Claim, Wanted, Wish

__all__ = ["LedgerCommunicator"]

logger = logging.getLogger(__name__)

#: Messages held while the ledger cannot be reached; then the oldest make room, and what went is counted.
_BUFFER = 1000
#: How often is looked for room.
_ROOM_SECONDS = 0.05


class LedgerCommunicator(Communicator):
    """Writes an attempt's messages to the ledger, as many at a time as have come while the last ones were under way."""

    def __init__(self, held: Claim, ledger: Ledger) -> None:
        """Speak for the attempt that `held` names."""
        self._held = held
        self._ledger = ledger
        self._buffer: deque[Message] = deque()
        self._sequences: dict[str, int] = {}
        self._dropped: Counter[Stream] = Counter()
        self._flusher: asyncio.Task[None] | None = None
        self._inward: asyncio.Queue[Cancel | Pause | Resume | UserMessage | LedgerError] = asyncio.Queue()
        self._wish = Wish.NOTHING
        self._sent = self._again = 0
        self._received = "0"
        self._ask_again = self._fetch = False
        self._waking = contextlib.ExitStack()
        #: Set when the attempt is to end: somebody has cancelled it, once or again, or the claim is void.
        self.ending = asyncio.Event()
        #: Why the claim is void, once it is.
        self.refusal: LedgerError | None = None

    @property
    def wanted(self) -> Wanted:
        """What was wanted last, as far as we were told."""
        return Wanted(self._wish, self._sent, self._again)

    async def open(self) -> None:
        """Listen for wake-ups."""
        self._waking.enter_context(self._ledger.waking(self._held.spec.id, self.wake))

    async def read(self) -> Message | None:
        """Return the next wish, or message for the task.

        Raises:
            LedgerError: when another attempt owns the job now, or nobody does: the Executor must stop.
        """
        message = await self._inward.get()
        if isinstance(message, LedgerError):
            raise message
        return message

    async def write(self, message: Message) -> None:
        """Number the message and send it with the next batch."""
        sequence = self._sequences[message.source] = self._sequences.get(message.source, 0) + 1
        if len(self._buffer) == _BUFFER and isinstance(oldest := self._buffer.popleft(), LogLines):
            self._dropped[oldest.stream] += len(oldest.lines) + oldest.dropped
        self._buffer.append(message.model_copy(update={"sequence": sequence}))
        self._start_flushing()

    async def room(self) -> None:
        """Wait until there is room for what must not be dropped."""
        while len(self._buffer) > _BUFFER // 2 and self._flusher is not None and not self._flusher.done():
            await asyncio.wait([self._flusher], timeout=_ROOM_SECONDS)

    def wake(self) -> None:
        """Ask the ledger whether somebody wants something; an answer that is under way may be older than the wish."""
        self._ask_again = True
        self._start_flushing()

    def notice(self, wanted: Wanted) -> None:
        """Take note of what the ledger says is wanted; only what is new counts."""
        if wanted.sent > self._sent:
            self._sent = wanted.sent
            self._fetch = True
            self._start_flushing()
        if wanted.again > self._again:
            self._again = wanted.again
            self.ending.set()
        if wanted.wish == self._wish:
            return
        self._wish = wanted.wish
        match wanted.wish:
            case Wish.CANCEL:
                self._inward.put_nowait(Cancel())
                self.ending.set()
            case Wish.PAUSE:
                self._inward.put_nowait(Pause())
            case Wish.NOTHING:
                self._inward.put_nowait(Resume())

    def refuse(self, refusal: LedgerError) -> None:
        """Take note that the claim is void."""
        self.refusal = refusal
        self._inward.put_nowait(refusal)
        self.ending.set()

    async def close(self) -> None:
        """Wait until everything is written, or the ledger has given up."""
        self._waking.close()
        if self._flusher is not None:
            with contextlib.suppress(OutriderError):
                await self._flusher

    def _start_flushing(self) -> None:
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        while True:
            batch = self._take_batch()
            self._ask_again = False
            try:
                self.notice(await self._ledger.emit(self._held, batch))
                if self._fetch:
                    await self._take_inward()
            except LedgerError as refusal:
                self.refuse(refusal)
                return
            except Exception as error:  # noqa: BLE001 - a message that cannot be sent must not keep the job from its end
                facts = {"action": "messages_lost", "job_id": self._held.spec.id, "attempt": self._held.attempt}
                logger.warning("%d messages were lost: %s", len(batch), error, extra=facts)
                return
            if not (self._buffer or self._ask_again or self._fetch):
                return

    def _take_batch(self) -> list[Message]:
        """Return what is held; the first lines of each stream say how many before them were dropped."""
        batch = list(self._buffer)
        self._buffer.clear()
        for stream, dropped in self._dropped.items():
            lines = (i for i, message in enumerate(batch) if isinstance(message, LogLines) and message.stream == stream)
            first = next(lines, 0)
            if batch and isinstance(message := batch[first], LogLines) and message.stream == stream:
                batch[first] = message.model_copy(update={"dropped": message.dropped + dropped})
            else:
                batch.insert(0, LogLines(stream=stream, lines=(), dropped=dropped, source="executor"))
        self._dropped.clear()
        return batch

    async def _take_inward(self) -> None:
        self._fetch = False
        for message in await self._ledger.read_inward(self._held, self._received):
            if message.stamp is not None:
                self._received = message.stamp.position
            self._inward.put_nowait(message)
