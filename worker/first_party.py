"""The process of a first-party task: `python -m outrider.worker.first_party MODULE:NAME`, started by an Executor.

By hand it runs as well, in a folder below the one that holds the job's `parameters.json`; then it speaks to the log.
"""

import contextlib
import json
import logging
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from ..communicators import ExecutorLink
from ..communicators.messages import Raised, Returned
from ..tasks import Cancelled, Channel, context_of, task_at
from .error_text import error_text
from .link_channel import LinkChannel
from .package_versions import loaded_modules

__all__ = ["main"]


def main() -> int:
    """Run the task that the command line names, and return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    parameters = json.loads(_parameters_file().read_text())["parameters"]
    channel = _channel()
    code = 1
    try:
        end = _run(parameters, channel)
    except SystemExit as error:
        end, code = _exited(error)
    except Cancelled as error:  # also when it came while another end was being told
        end = Raised(error=error_text(error))
    if isinstance(channel, LinkChannel):
        end = channel.end(end)
    return 0 if isinstance(end, Returned) else code


def _parameters_file() -> Path:
    """Return where the parameters are: those of this attempt if tasklets have changed them, else those of the job."""
    changed = Path("../parameters.json")
    return changed if changed.exists() else Path("../../parameters.json")


def _run(parameters: dict[str, Any], channel: Channel) -> Returned | Raised:
    try:
        task = task_at(sys.argv[1]).from_parameters(parameters).with_staged_outputs(Path.cwd())
        if isinstance(channel, LinkChannel):  # not before: what comes may need the modules that were just imported
            channel.start_listening()
        task.attach(channel)
        value = context_of(channel).run(task.run)
        return Returned(value=value, modules=loaded_modules())
    except (Cancelled, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - whatever the task's code raises is its end, and the Executor must hear of it
        with contextlib.suppress(Exception):  # the task may have closed standard error
            traceback.print_exc()
        return Raised(error=error_text(error))


def _exited(error: SystemExit) -> tuple[Raised, int]:
    """Return a task's end by `sys.exit`, with its exit code; 0 is no way to end for one that must return."""
    if not error.code:
        return Raised(error="SystemExit, and ended without returning from run"), 1
    return Raised(error=error_text(error)), error.code & 0xFF or 1 if isinstance(error.code, int) else 1


def _channel() -> Channel:
    if (place := os.environ.get("OUTRIDER_SOCKET")) is None:
        return Channel()
    channel = LinkChannel(ExecutorLink.connect(Path(place)), Path.cwd().parent / "artifacts")
    channel.interruption.start()
    return channel


if __name__ == "__main__":
    sys.exit(main())
