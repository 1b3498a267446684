"""What a program may say of itself, and what is made of it before anybody relies on it."""

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from ..messages import Artifact, LogLines, Message, Progress, Raised, Report, Returned
from ..output.output_tail import one_line, printable

__all__ = ["ANY_MESSAGE", "PROGRAM_MESSAGES", "TASK_MESSAGES", "Refused", "Unreadable", "message_of", "program_message"]

Kinds = Mapping[str, type[Message]]


def _kinds(*classes: type[Message]) -> Kinds:
    return {one.model_fields["kind"].default: one for one in classes}


ANY_MESSAGE = _kinds(*get_args(Message))
#: What any program may say.
PROGRAM_MESSAGES = _kinds(Progress, LogLines, Report, Artifact)
#: What a first-party task may say.
TASK_MESSAGES = _kinds(Progress, LogLines, Report, Artifact, Returned, Raised)

#: As many lines of one message are relayed, and as many characters of one line, the last ones; as for what is printed.
_MOST_LINES = 200
_LONGEST_LINE = 2000
#: Of a unit, and of an artefact's name.
_LONGEST_NAME = 200
#: Of what follows the last point of a name; more is no suffix.
_LONGEST_SUFFIX = 20
#: `PATH_MAX` of Linux.
_LONGEST_PATH = 4096
#: Of what a task ended with.
_LONGEST_ERROR = 4000
#: Of why a message is skipped.
_LONGEST_REASON = 500


class Refused(ValueError):
    """What was said shows that the one who said it is none of those whom we listen to."""


class Unreadable(ValueError):
    """A message that is skipped; those after it are not affected."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(kind, reason[:_LONGEST_REASON])
        self.kind = kind
        self.reason = one_line(_sound(reason[:_LONGEST_REASON]))  # it may quote what was said

    def __str__(self) -> str:
        return f"a message of kind {self.kind!r}: {self.reason}"


def message_of(kind: object, fields: object, kinds: Kinds) -> Message:
    """Make a message of the kinds that are allowed.

    Raises:
        Unreadable: when it is of another kind, or its fields do not fit.
    """
    name = kind if isinstance(kind, str) else repr(kind)
    if (known := kinds.get(name)) is None:
        raise Unreadable(name[:40], f"only {', '.join(sorted(kinds))} may come here")
    try:
        return known.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise Unreadable(name, f"{where}: {first['msg']}") from error


def program_message(kind: object, fields: object, kinds: Kinds = PROGRAM_MESSAGES) -> Message:
    """Make a message of what a program says; it cannot speak for others, nor point to what others have stored.

    Raises:
        Unreadable: when it may not say that, or its fields do not fit.
    """
    if not isinstance(fields, dict):
        raise Unreadable(str(kind)[:40], "its fields are no mapping")
    said = {name: _sound(text) if isinstance(text, str) and name != "value" else text for name, text in fields.items()}
    ours = {"source": "socket", "sequence": 0, "stamp": None, "reference": None, "stream": "socket"}
    message = message_of(kind, said | ours, kinds)
    match message:
        case LogLines():
            return _relayed(message)
        case Progress(unit=unit):
            return message.model_copy(update={"unit": _short(unit)})
        case Artifact():
            return _named(message)
        case Raised(error=error):
            return message.model_copy(update={"error": _cut(error)})
        case _:
            return message


def _sound(text: str) -> str:
    """Return the text as UTF-8 can hold it: a pickle, unlike JSON, may bring half a character."""
    return text.encode("utf-8", "replace").decode()


def _short(name: str) -> str:
    """Return a name as it can be shown, bounded; what follows the last point stays, for it says what a file is."""
    name = one_line(name)
    if len(name) <= _LONGEST_NAME:
        return name
    suffix = Path(name).suffix
    suffix = suffix if len(suffix) <= _LONGEST_SUFFIX else ""
    return f"{name[: _LONGEST_NAME - 1 - len(suffix)]}…{suffix}"


def _named(artifact: Artifact) -> Artifact:
    """Return an artefact with a name that can be shown; where its file is stays as it was said."""
    path = artifact.path or Path(artifact.name)
    if "\0" in f"{artifact.name}{path}":
        raise Unreadable("artifact", "no name holds a NUL")
    if len(str(path)) > _LONGEST_PATH:
        raise Unreadable("artifact", f"no path has more than {_LONGEST_PATH} bytes")
    name = _short(artifact.name)
    return artifact if name == artifact.name else artifact.model_copy(update={"name": name, "path": path})


def _cut(error: str) -> str:
    """Return the beginning and the end of a text, printable."""
    half = (_LONGEST_ERROR - 3) // 2
    text = printable(error[:_LONGEST_ERROR] + error[max(len(error) - _LONGEST_ERROR, _LONGEST_ERROR) :])
    if len(text) <= _LONGEST_ERROR and len(error) <= 2 * _LONGEST_ERROR:
        return text
    return f"{text[:half]} … {text[-half:]}"


def _relayed(message: LogLines) -> LogLines:
    """Return the lines as they can be shown: bounded, printable, and each one line."""
    lines = [line for text in message.lines for line in text.split("\n")]
    left_out = max(len(lines) - _MOST_LINES, 0)
    shown = tuple(_shown(line) for line in lines[left_out:])
    return message.model_copy(update={"lines": shown, "dropped": max(message.dropped, 0) + left_out})


def _shown(line: str) -> str:
    text = printable(_sound(line))
    return text if len(text) <= _LONGEST_LINE else f"… {text[-_LONGEST_LINE:]}"
