"""The ledger of another event loop, or of another process."""

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from .ledger import Ledger
from .messages import Message, UserMessage
from .outcome import Outcome
from .record import AttemptFacts, Claim, Provenance, RunFacts, Wanted

__all__ = ["WORDS", "OtherLoopLedger", "RemoteLedger"]

#: All that an Executor can say to a ledger.
WORDS = frozenset({"start", "cancelling", "pause", "resume", "emit", "read_inward", "release", "close"})


class RemoteLedger(Ledger):
    """Says every word elsewhere; who has it told there must `wake` it here."""

    @abstractmethod
    async def _say(self, word: str, *arguments: Any) -> Any:
        """Have a word of `WORDS` said, and return the answer or raise what it raised."""

    async def start(self, held: Claim, run: RunFacts) -> Wanted:
        """Note that the program runs."""
        wanted: Wanted = await self._say("start", held, run)
        return wanted

    async def cancelling(self, held: Claim) -> None:
        """Note that the program is being stopped."""
        await self._say("cancelling", held)

    async def pause(self, held: Claim) -> None:
        """Note that the program stands still."""
        await self._say("pause", held)

    async def resume(self, held: Claim) -> None:
        """Note that the program goes on."""
        await self._say("resume", held)

    async def emit(self, held: Claim, messages: Sequence[Message]) -> Wanted:
        """Add messages that change no state."""
        wanted: Wanted = await self._say("emit", held, messages)
        return wanted

    async def read_inward(self, held: Claim, after: str) -> list[UserMessage]:
        """Return what producers have sent to the task after a position."""
        sent: list[UserMessage] = await self._say("read_inward", held, after)
        return sent

    async def release(self, held: Claim, attempt: AttemptFacts, note: str, delay: timedelta) -> None:
        """Give the job back, to be attempted again after a pause."""
        await self._say("release", held, attempt, note, delay)

    async def close(self, held: Claim, outcome: Outcome, provenance: Provenance) -> None:
        """Close the job with its one terminal state."""
        await self._say("close", held, outcome, provenance)


class OtherLoopLedger(RemoteLedger):
    """The ledger of another event loop of this process."""

    def __init__(self, ledger: Ledger, loop: asyncio.AbstractEventLoop) -> None:
        """Speak for Executors that live elsewhere, to a ledger that lives on this loop."""
        super().__init__()
        self._ledger = ledger
        self._home = loop

    async def _say(self, word: str, *arguments: Any) -> Any:
        said = getattr(self._ledger, word)(*arguments)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(said, self._home))
