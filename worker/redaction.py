"""A task's secrets are taken out of what its program prints, wherever we pass that on."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..communicators import Artifact, LogLines, Message, Outcome, Progress, Raised, with_texts
from .masking import MASK
from .tasklet_call import TaskletAnswer

__all__ = ["Redaction"]

#: A line that was cut begins so (`OutputTail`), perhaps within a secret; of that, so many characters are a trace.
_CUT, _TRACE = "… ", 3
#: Lines of a secret that are shorter stand for anything.
_SHORTEST_LINE = 8


class Redaction:
    """Replaces the values of secrets in texts; without any, it hands back what it is given."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Redact these values, also as JSON, Python and URLs write them, and each long line of them."""
        self._words = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._words)))

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        return self._pattern.sub(MASK, text) if self._words else text

    def value(self, value: Any) -> Any:
        """Return a packed value without secrets in its texts."""
        return with_texts(value, self.text) if self._words else value

    def message(self, message: Message) -> Message:
        """Return what was read from a program without secrets; a report is redacted when it is packed."""
        if not self._words:
            return message
        match message:
            case LogLines(lines=lines):
                return message.model_copy(update={"lines": tuple(map(self._line, lines))})
            case Progress(unit=unit):
                return message.model_copy(update={"unit": self.text(unit)})
            case Raised(error=error):
                return message.model_copy(update={"error": self.text(error)})
            case Artifact(name=name):
                return message.model_copy(update={"name": self.text(name), "path": message.path or Path(name)})
            case _:
                return message

    def answer(self, answer: TaskletAnswer) -> TaskletAnswer:
        """Return what came of a tasklet without secrets; what others take from it keeps them."""
        if not self._words:
            return answer
        facts = answer.model_dump(mode="json", exclude={"value"})
        return TaskletAnswer.model_validate({**with_texts(facts, self.text), "value": answer.value})

    def outcome(self, outcome: Outcome) -> Outcome:
        """Return how a job ended without secrets."""
        if not self._words:
            return outcome
        changes = {
            "error": self.text(outcome.error),
            "stderr_tail": tuple(map(self._line, outcome.stderr_tail)),
            "result": self.value(outcome.result),
        }
        return outcome.model_copy(update=changes)

    def _line(self, line: str) -> str:
        line = self.text(line)
        return _CUT + self._without_rest(line.removeprefix(_CUT)) if line.startswith(_CUT) else line

    def _without_rest(self, text: str) -> str:
        """Return a text that may begin within a secret without what it has of it."""
        for word in self._words:
            for length in range(len(word) - 1, _TRACE - 1, -1):
                if text.startswith(word[-length:]):
                    return MASK + text[length:]
        return text


def _forms(secret: str) -> set[str]:
    lines = [line.strip() for line in secret.splitlines()]
    parts = {secret, *(line for line in lines if len(line) >= _SHORTEST_LINE)}
    written = {
        form
        for part in parts
        for form in (json.dumps(part)[1:-1], repr(part)[1:-1], quote(part, safe="", errors="replace"))
    }
    return parts | written | {part.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for part in parts}
