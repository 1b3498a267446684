"""The tasklets that are measured."""

import time

from outrider.tasklets import tasklet

__all__ = ["nothing", "sleeps"]


@tasklet
def nothing() -> None:
    """Do nothing."""


@tasklet
def sleeps(seconds: float) -> None:
    """Take some time."""
    time.sleep(seconds)
