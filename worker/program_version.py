"""What a program says when it is asked for its version."""

import subprocess
from collections.abc import Sequence

from .launch import Launch

__all__ = ["said_version"]

_MOST_BYTES = 4096
_LONGEST = 200


def said_version(launch: Launch, arguments: Sequence[str], timeout: float) -> str:
    """Return the first line that a launch's program prints; empty when it takes longer than `timeout` seconds. Blocks.

    Raises:
        OSError: when it cannot be started.
    """
    try:
        answer = subprocess.run(
            [launch.program, *arguments],
            env=launch.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ""
    return answer.stdout[:_MOST_BYTES].decode("utf-8", "replace").partition("\n")[0].strip()[:_LONGEST]
