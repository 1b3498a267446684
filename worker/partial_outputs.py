"""What a program left of its outputs in a job that did not succeed: nobody vouches for it, and it may have cost hours."""

import logging
import os
import threading
import time
from pathlib import Path

from ..communicators import OutputFile
from ..tasks import TaskDescription
from .file_hashes import FileIdentity, hash_file
from .job_directory import JobDirectory
from .outputs import declared_outputs

__all__ = ["keep_partial_outputs"]

logger = logging.getLogger(__name__)

#: How long hashing all of them may take; what is not hashed by then has no sha256.
_HASH_SECONDS = 2.0


def keep_partial_outputs(
    task: TaskDescription, directory: JobDirectory, given_up: threading.Event
) -> dict[str, OutputFile]:
    """Move the declared outputs that are there to the job's partial ones, and return them by field name. Blocks.

    For the holder of the newest claim, after the program's end. Once `given_up` is set, nothing more is moved.
    """
    declared = [(name, path, _staged(directory, own)) for name, path, own, _ in declared_outputs(task)]
    kept: dict[str, OutputFile] = {}
    deadline = time.monotonic() + _HASH_SECONDS
    for name, path, staged in declared:  # all were looked for before any is moved: links may lead from one to another
        if given_up.is_set():
            break
        if staged is None:
            continue
        try:
            place = directory.move_to_partial(staged, _below(name, path))
            facts = os.stat(place)
            sha256 = hash_file(FileIdentity.of(place, facts), given_up, deadline)
        except OSError as error:
            facts_of_job = {"action": "partial_output_not_kept", "job_id": directory.job.name}
            logger.warning("the partial output %s is not kept: %s", name, error, extra=facts_of_job)
            continue
        kept[name] = OutputFile(path=place, size=facts.st_size, sha256=sha256, partial=True)
    return kept


def _staged(directory: JobDirectory, path: Path) -> Path | None:
    try:
        return directory.staged(path)
    except (OSError, ValueError):  # a link that leads out is nobody's output
        return None


def _below(name: str, path: Path) -> Path:
    """Return the name of a partial output below the job's own folder, wherever the whole one would have gone."""
    return Path(name, path.name) if path.is_absolute() else path
