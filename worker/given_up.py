"""The end of an attempt before its program has started."""

__all__ = ["GivenUp"]


class GivenUp(Exception):
    """The attempt is to end before its program has started."""
