"""How a program's result is read, as a file describes it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ..program_run import ProgramRun

__all__ = ["ResultEntry"]

_TYPES: dict[str, Any] = {"text": str, "json": Any, "number": int | float}
_SHOWN = 60


def _check_pattern(value: str) -> str:
    try:
        groups = re.compile(value).groups
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    if groups != 1:
        raise ValueError("needs one group, for what is the result")
    return value


class ResultEntry(BaseModel):
    """Where the result stands, and what it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    read: str
    """`stdout`, `stderr`, or the parameter that names an output."""
    as_: Annotated[Literal["text", "json", "number"], Field(alias="as")] = "text"
    """What it is: text as it stands, a JSON document, or a number."""
    pattern: Annotated[str, AfterValidator(_check_pattern)] | None = None
    """A regular expression; the result is what the group of its first match finds."""

    def reader(self, field: str | None) -> Callable[[Any, ProgramRun], Any]:
        """Return a task's `read_result`.

        Args:
            field: the field of the output that is read; `None`: a stream is.
        """

        def read_result(_task: Any, run: ProgramRun) -> Any:
            path = self._path(run, field)
            return None if path is None else self._value(path.read_text(encoding="utf-8", errors="replace"))

        kind = _TYPES[self.as_]
        read_result.__annotations__ = {"return": kind if field is None else kind | None}
        return read_result

    def _path(self, run: ProgramRun, field: str | None) -> Path | None:
        if field is not None:
            return run.outputs.get(field)  # an optional one may be missing
        return run.stdout_path if self.read == "stdout" else run.stderr_path

    def _value(self, text: str) -> Any:
        """Return what a text says.

        Raises:
            ValueError: when it does not say it.
        """
        if self.pattern is not None:
            match = re.search(self.pattern, text)
            if match is None:
                raise ValueError(f"{self.read} has nothing that fits {self.pattern!r}")
            text = match[1] or ""
        match self.as_:
            case "json":
                return json.loads(text)
            case "number":
                return self._number(text.strip())
            case _:
                return text

    def _number(self, text: str) -> int | float:
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                continue
        raise ValueError(f"{self.read} is no number: {text[:_SHOWN]!r}")
