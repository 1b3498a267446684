"""What becomes of a value that a tasklet has returned: parts that are JSON and bounded, with files by path."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

__all__ = [
    "Cell",
    "FilePart",
    "NoticePart",
    "ParametersPart",
    "Shown",
    "SummaryPart",
    "TablePart",
    "TextPart",
    "WarningPart",
]

#: A number that is none or infinite is text here: JSON has no word for it.
Cell = str | int | float | bool | None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TextPart(_Part):
    """A message for people. A longer one is cut, and whole in the `FilePart` that follows."""

    kind: Literal["text"] = "text"
    text: str
    #: How long the whole is.
    characters: int


class SummaryPart(_Part):
    """Named facts about the job."""

    kind: Literal["summary"] = "summary"
    values: dict[str, JsonValue]


class TablePart(_Part):
    """A table. Of a larger one these are the first rows and columns, and it is whole in the `FilePart` that follows."""

    kind: Literal["table"] = "table"
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    #: How many rows the whole has.
    total_rows: int
    #: How many columns the whole has.
    total_columns: int


class FilePart(_Part):
    """A file to be registered with the job, or to be moved."""

    kind: Literal["file"] = "file"
    #: Where it is, from the root.
    path: Path
    name: str
    media_type: str
    move_to: Path | None = None


class NoticePart(_Part):
    """Something to be told by the configured sinks."""

    kind: Literal["notice"] = "notice"
    title: str
    text: str
    attachments: tuple[Path, ...] = ()


class ParametersPart(_Part):
    """Parameters of the task that a tasklet before it has changed."""

    kind: Literal["parameters"] = "parameters"
    values: dict[str, JsonValue]


class WarningPart(_Part):
    """Something that was returned and could not be shown, and why."""

    kind: Literal["warning"] = "warning"
    text: str


Shown = Annotated[
    TextPart | SummaryPart | TablePart | FilePart | NoticePart | ParametersPart | WarningPart,
    Field(discriminator="kind"),
]
