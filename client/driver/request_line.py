"""From a line of a driver to a request. Pure."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from ...config import did_you_mean
from ...config.errors import InvalidRequest
from .protocol import Ref, Request
from .raw_lines import MOST_BYTES, RawLine

__all__ = ["Refusal", "read_request"]

_ADAPTER: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="kind")])
_KINDS = ("submit", "cancel", "pause", "resume", "send", "status", "list", "shutdown")
#: Characters of a wrong value that an error shows.
_SHOWN = 80


@dataclass(frozen=True)
class Refusal:
    """A line that is no request, with what could be understood of it."""

    error: InvalidRequest
    ref: Ref = None
    kind: str = ""


def read_request(line: RawLine) -> Request | Refusal:
    """Return the request of a line, or why it is none."""
    if not line.is_whole:
        return Refusal(InvalidRequest(line.number, [f"it is longer than {MOST_BYTES} bytes"]))
    try:
        tree = from_json(line.content, allow_inf_nan=False)
        json.dumps(tree, allow_nan=False)  # `1e999` would be infinite
    except (ValueError, RecursionError) as error:
        return Refusal(InvalidRequest(line.number, [f"it is no JSON: {error}"]))
    if not isinstance(tree, dict):
        return Refusal(InvalidRequest(line.number, ["it is no JSON object"]))
    try:
        return _ADAPTER.validate_json(line.content)
    except ValidationError as error:
        problems = list(dict.fromkeys(_problem(detail) for detail in error.errors()))
        ref, kind = tree.get("ref"), tree.get("kind")
        return Refusal(InvalidRequest(line.number, problems), ref if isinstance(ref, Ref) else None, str(kind))


def _problem(detail: ErrorDetails) -> str:
    """Return what is wrong, and where."""
    place = ".".join(map(str, detail["loc"][1:]))  # the first part is the kind
    match detail["type"]:
        case "union_tag_not_found":
            return f"kind: it has none{did_you_mean('', _KINDS)}"
        case "union_tag_invalid":
            kind = str(detail["input"]["kind"])[:_SHOWN]
            return f"kind={kind!r}: there is no such kind{did_you_mean(kind, _KINDS)}"
        case "missing":
            return f"{place}: is required"
        case "extra_forbidden":
            return f"{place}: there is no such field"
    return f"{place}={_shown(detail['input'])}: {detail['msg']}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
