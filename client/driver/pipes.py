"""Standard input and output, for the protocol alone."""

import contextlib
import os
import sys
from dataclasses import dataclass

from ...config.errors import OutriderError

__all__ = ["Pipes", "take_pipes"]


@dataclass(frozen=True)
class Pipes:
    """Descriptors that nobody else knows, and no child inherits."""

    requests: int
    answers: int


def take_pipes() -> Pipes:
    """Take over standard input and output, before anybody else gets to use them.

    What modules and their children print goes to standard error from now on, and what they read is empty.

    Raises:
        OutriderError: when one of them is closed.
    """
    if sys.stdout is not None:
        sys.stdout.flush()
    try:
        pipes = Pipes(os.dup(0), os.dup(1))
    except OSError as error:
        raise OutriderError(
            "standard input and output must be open: requests come by the one, answers go by the other"
        ) from error
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    with contextlib.suppress(OSError):  # standard error may be closed
        os.dup2(2, 1)
    os.close(nothing)
    return pipes
