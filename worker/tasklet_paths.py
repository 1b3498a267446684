"""Which files the built-in tasklets and those that say so may be pointed at: the same as programs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..config.errors import InvalidTasklet
from ..tasklets import Tasklet, path_arguments
from .roots import lies_in

__all__ = ["TaskletPaths"]


class TaskletPaths:
    """The folders that paths in arguments must lie in, wherever links lead, where annotations tell that they are paths."""

    def __init__(self, own: Sequence[Path], input_roots: tuple[Path, ...], output_roots: tuple[Path, ...]) -> None:
        """Allow `own` folders in any case, output roots for what is written, and all roots for what is read, if any."""
        self._written = (*own, *output_roots)
        self._read = (*self._written, *input_roots) if input_roots else None

    def check(
        self, tasklet: Tasklet[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], directory: Path
    ) -> None:
        """Look at the paths among a call's arguments, relative ones from a directory. Blocks.

        Raises:
            InvalidTasklet: naming the first that lies elsewhere.
        """
        for argument in path_arguments(tasklet, args, kwargs):
            allowed = self._written if argument.is_written else self._read
            if allowed is not None and not lies_in(directory / argument.path, allowed):
                what = "OUTPUT" if argument.is_written else "INPUT"
                problem = f"lies neither in the job's folder nor in one of OUTRIDER_{what}_ROOTS"
                raise InvalidTasklet(tasklet.name, [f"{argument.parameter}={str(argument.path)!r} {problem}"])
