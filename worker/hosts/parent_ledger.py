"""The ledger of the process that started this one."""

import asyncio
import itertools
from typing import Any

from ...communicators import RemoteLedger
from .frames import FrameLink

__all__ = ["ParentLedger"]


class ParentLedger(RemoteLedger):
    """Has each word said by the parent, which has the claims: here and there an attempt is known by its cookie."""

    def __init__(self, link: FrameLink) -> None:
        """Ask over a link."""
        super().__init__()
        self._link = link
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[Any]] = {}

    def answered(self, number: int, answer: Any, error: Exception | None) -> None:
        """Take the answer to what was said."""
        waiting = self._asked.pop(number)
        if waiting.done():  # whoever asked does not care any more
            return
        if error is None:
            waiting.set_result(answer)
        else:
            waiting.set_exception(error)

    async def _say(self, word: str, *arguments: Any) -> Any:
        held, *others = arguments
        number = next(self._numbers)
        answered = self._asked[number] = asyncio.get_running_loop().create_future()
        self._link.send("say", number, held.cookie, word, others)
        return await answered
