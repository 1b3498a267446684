"""One question to Redis as a value: what to ask, and how to read the answer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from typing import Any, Generic, TypeVar

from ...config.errors import IllegalTransition, Superseded
from ..record import Wanted, Wish

__all__ = ["Bounds", "Command", "Word", "accepted", "entries_of", "load_script", "milliseconds"]

T = TypeVar("T")
Word = str | bytes | int | float

_SCRIPTS = files("outrider.communicators") / "scripts"
_PRELUDE = (_SCRIPTS / "prelude.lua").read_text()


def load_script(name: str) -> str:
    """Return the source of one of our Lua scripts."""
    return _PRELUDE + (_SCRIPTS / f"{name}.lua").read_text()


def milliseconds(duration: timedelta | None) -> int:
    """Return a duration as Redis takes it; 0 for none."""
    return int(duration.total_seconds() * 1000) if duration else 0


@dataclass(frozen=True)
class Command(Generic[T]):
    """One question to Redis, a script or a plain command, and how to read the answer."""

    words: tuple[Word, ...]
    read: Callable[[Any], T]
    #: The source of a script; its hash takes the place of the command's name.
    script: str | None = None
    #: How many of the words are keys (scripts only).
    keys: int = 0


@dataclass(frozen=True)
class Bounds:
    """What limits the traces of a job: the messages that its stream keeps, and how long it is kept once closed."""

    stream_length: int
    retention: timedelta

    @property
    def retention_ms(self) -> int:
        """The retention in milliseconds."""
        return milliseconds(self.retention)


def accepted(job_id: str, target: str, answer: list[bytes]) -> Wanted:
    """Read the answer of a script that checks the token: what somebody wants of the Executor.

    Raises:
        LedgerError: when the write was refused, or there is no record to write to.
    """
    match answer:
        case [b"ok", wish, sent, again]:
            return Wanted(Wish(wish.decode()), int(sent), int(again))
        case [b"illegal", state]:
            raise IllegalTransition(job_id, state.decode(), target)
        case _:  # another attempt has it, or the record is gone: nobody owns the job by this token
            raise Superseded(job_id)


def entries_of(answer: Iterable[Any] | None, key: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """Return the entries of one stream from what redis-py makes of XREAD's answer: pairs of a key and its entries."""
    return [
        (position, fields) for name, entries in answer or () if name == key.encode() for position, fields in entries
    ]
