"""What a result depends on beside its parameters, gathered while the program runs."""

import asyncio
import contextlib
import functools
import logging
import os
import platform
from collections.abc import Coroutine
from importlib.metadata import version
from typing import Any

from ..communicators import Provenance
from ..tasks import TaskDescription, ThirdPartyTask
from .file_hashes import FileHashes
from .input_files import InputFiles
from .launch import Launch, input_paths
from .masking import MASK
from .package_versions import package_versions
from .program_version import version_answer
from .sweep import ATTEMPT_COOKIE

__all__ = ["ProvenanceCollector"]

logger = logging.getLogger(__name__)

_VERSION_TIMEOUT_SECONDS = 20.0
#: How long the end of a job waits for what is still being gathered, and then for a last look at the inputs.
_PATIENCE_SECONDS = 2.0

#: The answer of each program by path and time of change, so that it is asked once per worker.
_versions: dict[tuple[str, int], str] = {}


class ProvenanceCollector:
    """Looks at the inputs before the program runs; beside it, hashes them and asks for versions."""

    def __init__(self, task: TaskDescription, launch: Launch) -> None:
        """Look at the inputs. Blocks; for a thread."""
        self._launch = launch
        self._version_arguments = task.version_arguments if isinstance(task, ThirdPartyTask) else ()
        self._inputs = InputFiles(input_paths(task), launch.directory)
        self._program_version = ""
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, hashes: FileHashes | None) -> None:
        """Start to gather; without `hashes`, the inputs are not hashed."""
        gathering: list[Coroutine[Any, Any, None]] = []
        if not package_versions().loaded:
            gathering.append(asyncio.to_thread(package_versions().load))
        if self._version_arguments:
            gathering.append(self._ask_version(self._version_arguments))
        if hashes is not None:
            gathering.append(self._inputs.hash(hashes))
        self._tasks = [asyncio.create_task(part) for part in gathering]

    async def finish(self) -> Provenance:
        """Return what is known after a little patience; what takes longer is left out."""
        if self._tasks:
            done, pending = await asyncio.wait(self._tasks, timeout=_PATIENCE_SECONDS)
            for task in pending:
                task.cancel()
            for error in filter(None, (task.exception() for task in done)):
                logger.warning("provenance is incomplete: %s", error, extra={"action": "provenance_incomplete"})
        if self._inputs.any_hashed:
            await self._look_again()
        return Provenance(
            outrider_version=_outrider_version(),
            program_version=self._program_version,
            platform=_platform(),
            python_version=platform.python_version(),
            inputs=self._inputs.recorded(),
            inputs_left_out=self._inputs.left_out,
        )

    async def _look_again(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await asyncio.to_thread(self._inputs.forget_changed)
        except TimeoutError:
            self._inputs.forget_hashes()

    async def _ask_version(self, arguments: tuple[str, ...]) -> None:
        with contextlib.suppress(OSError):
            self._program_version = await asyncio.to_thread(_answered, self._launch, arguments)


@functools.cache
def _outrider_version() -> str:
    return version("outrider")


@functools.cache
def _platform() -> str:
    return platform.platform()


def _answered(launch: Launch, arguments: tuple[str, ...]) -> str:
    """Return what the program says, and remember it. Blocks; when nobody waits any more, the next job has the answer.

    It is asked without what is secret, and not as a part of the attempt, whose end it may outlive.
    """
    key = (launch.program, os.stat(launch.program).st_mtime_ns)
    if key not in _versions:
        hidden = {name for name, value in launch.environment_difference.items() if MASK in value} | {ATTEMPT_COOKIE}
        environment = {name: value for name, value in launch.environment.items() if name not in hidden}
        _versions[key] = version_answer((launch.program, *arguments), environment, _VERSION_TIMEOUT_SECONDS)
    return _versions[key]
