"""The filter `tojson`: a parameter as a program's JSON or YAML file wants it."""

import json
from collections.abc import Set as AbstractSet
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

__all__ = ["to_json"]


def to_json(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON, with no character escaped for HTML.

    A path is its text, an enum its value, a Decimal a number, a date ISO 8601, a duration its seconds, a set a sorted list.

    Raises:
        ValueError: when a number is not finite: JSON has no word for it.
        TypeError: when the value is none of those.
    """
    return json.dumps(value, default=_plain, indent=indent, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case Decimal():
            return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
        case timedelta():
            return value.total_seconds()
        case AbstractSet():
            return sorted(value, key=str)  # the order of a set is another in each process
        case BaseModel():
            return {name: getattr(value, name) for name in type(value).model_fields}
        case _:
            return to_jsonable_python(value)
