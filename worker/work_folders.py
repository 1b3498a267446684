"""Removing what programs leave behind, whatever they did to it."""

import logging
import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

__all__ = ["remove_tree", "remove_work_folders"]

logger = logging.getLogger(__name__)


def remove_work_folders(job: Path, outputs: Iterable[Path]) -> None:
    """Remove the working folders of a job's attempts, unless an output is a link that leads there. Never raises.

    A folder that was replaced by a link is left alone.
    """
    real_job, real = Path(os.path.realpath(job)), [Path(os.path.realpath(output)) for output in outputs]
    for work in real_job.glob("attempt-*/work"):
        try:
            if os.path.realpath(work) == str(work) and not any(output.is_relative_to(work) for output in real):
                remove_tree(work)
        except OSError as error:
            facts = {"action": "work_not_removed", "job_id": job.name}
            logger.warning("%s is not removed: %s", work, error, extra=facts)


def remove_tree(folder: Path) -> None:
    """Remove a folder and all that it holds; links are removed, not followed. One that is a link itself is left alone.

    Raises:
        OSError: when something cannot be removed.
    """
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:  # another is at it
        shutil.rmtree(folder, ignore_errors=True)
    except PermissionError:  # a program may have taken rights from its own folders
        _let_in(str(folder))
        for place, names, _ in os.walk(folder):
            for name in names:  # before the walk goes there: some cannot even be looked into
                _let_in(os.path.join(place, name))
        shutil.rmtree(folder)


def _let_in(folder: str) -> None:
    if not os.path.islink(folder):
        os.chmod(folder, stat.S_IRWXU)
