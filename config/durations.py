"""Durations as people write them: `90`, `90s`, `5m`, `2h`, `7d`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import ValidationError, ValidatorFunctionWrapHandler, WithJsonSchema, WrapValidator

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PATTERN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")


def parse_duration(value: object) -> object:
    """Turn a number of seconds or a number with a unit into a `timedelta`; leave the rest to pydantic.

    >>> parse_duration("5m")
    datetime.timedelta(seconds=300)
    """
    if isinstance(value, str) and (match := _PATTERN.fullmatch(value.strip())):
        try:
            return timedelta(seconds=float(match[1]) * _UNITS[match[2] or "s"])
        except OverflowError as error:
            raise ValueError("is too long") from error
    return value


_SCHEMA = {
    "description": "seconds, or a number with a unit: 90s, 5m, 2h, 7d",
    "anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(ms|s|m|h|d)?\s*$"}],
}


def _read(value: object, read: ValidatorFunctionWrapHandler) -> object:
    try:
        return read(parse_duration(value))
    except ValidationError as error:
        if error.errors()[0]["type"] != "time_delta_parsing":
            raise
        raise ValueError("is no duration; give seconds, or a number with a unit: 90s, 5m, 2h, 7d") from error


Duration = Annotated[timedelta, WrapValidator(_read), WithJsonSchema(_SCHEMA, mode="validation")]
