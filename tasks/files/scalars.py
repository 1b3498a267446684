"""Which values YAML's plain scalars are: those of YAML 1.2's core schema that nobody mistakes, all else is text."""

import re

__all__ = ["plain_value"]

_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE = r"[-+]?(?:0|[1-9][0-9]*)"
_INT = re.compile(_WHOLE)
_FLOAT = re.compile(
    rf"(?:{_WHOLE}(?:\.[0-9]*)?|[-+]?\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)


def plain_value(text: str) -> str | int | float | bool | None:
    """Return what a scalar without quotes stands for.

    >>> [plain_value(text) for text in ("12", "0012", "1.10", "yes", "12:30", "true", "~")]
    [12, '0012', 1.1, 'yes', '12:30', True, None]

    Raises:
        ValueError: when it is a number with too many digits.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text.replace(".inf", "inf").replace(".nan", "nan") if text[-1].isalpha() else text)
    return text
