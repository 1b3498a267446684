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
    found = [(name, path, staged) for name, path, _ in declared_outputs(task) if (staged := _staged(directory, path))]
    kept: dict[str, OutputFile] = {}
    places: dict[Path, Path] = {}
    deadline = time.monotonic() + _HASH_SECONDS
    for name, path, staged in found:  # all were looked for before any is moved: links may lead from one to another
        if given_up.is_set():
            break
        try:
            place = _move(staged, _place(directory, name, path), places)
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


def _place(directory: JobDirectory, name: str, path: Path) -> Path:
    """Return where a partial output goes: always below the job's own folder, wherever the whole one would have gone."""
    relative = Path(os.path.normpath(path))
    if relative.is_absolute() or relative.parts[:1] == ("..",):
        relative = Path(name, path.name)
    return directory.partial / relative


def _move(staged: Path, place: Path, places: dict[Path, Path]) -> Path:
    """Move a file to its place; what was moved before under another name gets this name as well."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if (before := places.get(staged)) is None:
        os.replace(staged, place)
        places[staged] = place
    elif before != place:
        place.unlink(missing_ok=True)
        os.link(before, place)
    return place
