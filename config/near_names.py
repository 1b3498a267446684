"""What to say of a name that is not known."""

import difflib
from collections.abc import Sequence

__all__ = ["did_you_mean"]

_MOST_NAMED = 10


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return the end of a sentence that names the names which come close, or else the first of all.

    >>> did_you_mean("bin", ["bins", "unit"])
    "; did you mean 'bins'?"
    >>> did_you_mean("x", ["bins", "unit"])
    '; there are bins, unit'
    """
    if not known:
        return "; nothing is known here"
    if close := difflib.get_close_matches(name, known, n=3):
        return f"; did you mean {' or '.join(map(repr, close))}?"
    more = ", …" if len(known) > _MOST_NAMED else ""
    return f"; there are {', '.join(known[:_MOST_NAMED])}{more}"
