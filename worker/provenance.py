"""What a result depends on beside its parameters, gathered while the program runs."""

import asyncio
import contextlib
import functools
import os
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from ..communicators import InputFile, Provenance
from ..tasks import TaskDescription, ThirdPartyTask
from .launch import Launch, input_paths
from .outputs import hash_files

__all__ = ["ProvenanceCollector"]

_VERSION_TIMEOUT_SECONDS = 20.0
#: How long the end of a job waits for what is still being gathered.
_PATIENCE_SECONDS = 2.0

#: The answer of each program by path and time of change, so that it is asked once per worker.
_versions: dict[tuple[str, int], str] = {}


class ProvenanceCollector:
    """Asks the program's version and hashes the inputs, beside the running program."""

    def __init__(self, task: TaskDescription, launch: Launch, *, hash_inputs: bool) -> None:
        """Start to gather."""
        self._program_version = ""
        self._inputs: dict[str, InputFile] = {}
        self._tasks: list[asyncio.Task[None]] = []
        if isinstance(task, ThirdPartyTask) and task.version_arguments:
            self._tasks.append(asyncio.create_task(self._ask_version(launch, task.version_arguments)))
        if hash_inputs and (paths := input_paths(task)):
            self._tasks.append(asyncio.create_task(self._hash(paths, launch.directory)))

    async def finish(self) -> Provenance:
        """Return what is known after a little patience; what takes longer is left out."""
        if self._tasks:
            _, pending = await asyncio.wait(self._tasks, timeout=_PATIENCE_SECONDS)
            for task in pending:
                task.cancel()
        return Provenance(
            outrider_version=_outrider_version(), program_version=self._program_version, inputs=dict(self._inputs)
        )

    async def _hash(self, paths: list[Path], directory: Path) -> None:
        hashes = hash_files(directory / path for path in paths)
        while (pair := await asyncio.to_thread(next, hashes, None)) is not None:
            found = os.stat(pair[0])
            modified = datetime.fromtimestamp(found.st_mtime, UTC)
            self._inputs[pair[0]] = InputFile(size=found.st_size, modified=modified, sha256=pair[1])

    async def _ask_version(self, launch: Launch, arguments: tuple[str, ...]) -> None:
        program = launch.program
        with contextlib.suppress(OSError):
            key = (program, os.stat(program).st_mtime_ns)
            if key not in _versions:
                _versions[key] = await _first_line(launch, arguments)
            self._program_version = _versions[key]


@functools.cache
def _outrider_version() -> str:
    return version("outrider")


async def _first_line(launch: Launch, arguments: tuple[str, ...]) -> str:
    def ask() -> str:
        try:
            answer = subprocess.run(
                [launch.program, *arguments],
                env=launch.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=_VERSION_TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return ""
        return answer.stdout[:4096].decode("utf-8", "replace").partition("\n")[0].strip()[:200]

    return await asyncio.to_thread(ask)
