"""What people are told of a job."""

import datetime as dt
import uuid
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic_core import to_json

__all__ = ["Notice"]

_LONGEST_TITLE = 200
_LONGEST_TEXT = 64 * 1024
_LARGEST_SUMMARY = 64 * 1024
_MOST_ATTACHMENTS = 20


def _one_line(title: str) -> str:
    """Return a title that no header of a mail can be smuggled in with."""
    words = "".join(character if character.isprintable() else " " for character in title).split()
    return _cut(" ".join(words), _LONGEST_TITLE)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _first_entries(summary: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return as many entries as there is room for."""
    kept: dict[str, JsonValue] = {}
    size = 0
    for key, value in summary.items():
        size += len(to_json({key: value}))
        if size > _LARGEST_SUMMARY:
            return {**kept, "…": f"{len(summary) - len(kept)} more"}
        kept[key] = value
    return kept


def _sequence(paths: Any) -> Any:
    return tuple(paths)[:_MOST_ATTACHMENTS] if isinstance(paths, list | tuple) else paths


class Notice(BaseModel):
    """One thing to tell of one job. What is too long for a notice is cut."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: The same at each try, so that a receiver can tell a second copy.
    id: str = Field(default_factory=lambda: uuid.uuid4().hex)
    time: dt.datetime = Field(default_factory=lambda: dt.datetime.now(dt.UTC))
    job_id: str
    task: str
    state: str
    title: Annotated[str, AfterValidator(_one_line)]
    text: Annotated[str, AfterValidator(lambda text: _cut(text, _LONGEST_TEXT))] = ""
    summary: Annotated[dict[str, JsonValue], AfterValidator(_first_entries)] = {}
    #: Files that go along where a sink takes files.
    attachments: Annotated[tuple[Path, ...], BeforeValidator(_sequence)] = ()

    def as_text(self) -> str:
        """Return what a person reads: the text, then the summary, then which job this is."""
        facts = [f"{key}: {value}" for key, value in self.summary.items()]
        job = f"{self.task}, job {self.job_id}, {self.state}"
        return "\n\n".join(filter(None, (self.text, "\n".join(facts), job)))
