"""What a program's side says, passed on to whoever watches the job."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from ..communicators import (
    Artifact,
    Communicator,
    LedgerCommunicator,
    LogLines,
    Message,
    Progress,
    Raised,
    Reference,
    Report,
    Returned,
)
from .keeper import Keeper
from .redaction import Redaction
from .verdict import shortened

__all__ = ["Relay"]

logger = logging.getLogger(__name__)

#: Progress is passed on so often at the most; the newest counts.
_PROGRESS_SECONDS = 0.1


class Relay:
    """Passes messages on, each source in its own order, and keeps what is meant for the Executor."""

    def __init__(self, upward: LedgerCommunicator, keeper: Keeper, facts: Mapping[str, Any]) -> None:
        """Pass on to `upward`; log lines carry `facts`, such as the job."""
        self._facts = facts
        self._upward = upward
        self._keeper = keeper
        self._held_back: Progress | None = None
        self._passed_on = 0.0
        self._later: asyncio.Task[None] | None = None
        #: What takes secrets out of all that is passed on.
        self.redaction = Redaction()
        #: The newest progress, for those who ask us directly.
        self.progress: Progress | None = None
        #: How a first-party task ended, in its own words.
        self.end: Returned | Raised | None = None
        self.artifacts: dict[str, Reference] = {}

    async def run(self, source: Communicator) -> None:
        """Pass on until the source has no more."""
        while (message := await source.read()) is not None:
            await self._take(self.redaction.message(message))
        await self._pass_held_back()

    async def _take(self, message: Message) -> None:
        match message:
            case Returned() | Raised():
                self.end = message
            case Progress():
                self.progress = self._held_back = message
                await self._pass_on_in_time()
            case Report() | Artifact():
                await self._pass_held_back()
                await self._keep(message)
            case _:
                await self._upward.write(message)

    async def _pass_on_in_time(self) -> None:
        """Pass on progress now, or when the last is old enough."""
        wait = self._passed_on + _PROGRESS_SECONDS - time.monotonic()
        if wait <= 0:
            await self._pass_held_back()
        elif self._later is None or self._later.done():
            self._later = asyncio.create_task(self._pass_on_after(wait))

    async def _pass_on_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._pass_held_back()

    async def _pass_held_back(self) -> None:
        if self._held_back is not None:
            message, self._held_back = self._held_back, None
            self._passed_on = time.monotonic()
            await self._upward.write(message)

    async def _keep(self, message: Report | Artifact) -> None:
        try:
            await self._upward.room()
            if isinstance(message, Report):
                value = await asyncio.to_thread(self._keeper.pack, message.value)
                await self._upward.write(message.model_copy(update={"value": self.redaction.value(value)}))
            else:
                kept = await asyncio.to_thread(self._keeper.keep, message)
                if kept.reference is not None:
                    self.artifacts[kept.name] = kept.reference
                await self._upward.write(kept)
        except Exception as error:  # noqa: BLE001 - packing runs the objects' own code; it concerns this message alone
            why = self.redaction.text(shortened(f"{type(error).__name__}: {error}"))
            logger.warning("not kept (%s): %s", message.kind, why, extra={"action": "not_kept", **self._facts})
            line = f"outrider: {message.kind} not kept: {why}"
            await self._upward.write(LogLines(stream="stderr", lines=(line,), source=message.source))
