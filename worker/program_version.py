"""What a program says when it is asked for its version."""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence

__all__ = ["version_answer"]

#: Bytes that are read, and characters of a line that are kept.
_MOST, _LONGEST = 4096, 200


def version_answer(words: Sequence[str], environment: Mapping[str, str], seconds: float) -> str:
    """Return the first line that a command prints; empty when there is none in time. Blocks; for a thread.

    No more is read, whatever it goes on to print; then it is killed, with its group.

    Raises:
        OSError: when it cannot be started.
    """
    with subprocess.Popen(
        words,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as asked:
        try:
            answer = _first_bytes(asked, time.monotonic() + seconds)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(asked.pid, signal.SIGKILL)
    return answer.decode("utf-8", "replace").partition("\n")[0].strip()[:_LONGEST]


def _first_bytes(asked: "subprocess.Popen[bytes]", deadline: float) -> bytes:
    """Return what was printed up to the first line end; nothing when time is up."""
    content = b""
    if asked.stdout is None:
        return content
    reader, poll = asked.stdout.fileno(), select.poll()
    poll.register(reader, select.POLLIN)
    while len(content) < _MOST and b"\n" not in content:
        if not poll.poll(max(deadline - time.monotonic(), 0) * 1000):
            return b""
        if not (piece := os.read(reader, _MOST)):
            break
        content += piece
    return content
