"""From a record to a folder or an archive that reproduces the run."""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...communicators import JobRecord
from ...config import Settings
from ...config.errors import CannotExport
from ...tasks import Catalogue
from .folder import write_folder
from .material import Material

__all__ = ["Exported", "export_job"]

#: What archives are called, and what `shutil` calls them.
_ARCHIVES = {".tar.gz": "gztar", ".tgz": "gztar", ".zip": "zip"}


@dataclass(frozen=True)
class Exported:
    """Where an export is, and a sentence for each thing in it that is not as it was recorded."""

    destination: Path
    problems: tuple[str, ...] = ()


def export_job(
    record: JobRecord,
    catalogue: Catalogue,
    settings: Settings,
    destination: Path | None = None,
    *,
    with_inputs: bool = True,
) -> Exported:
    """Write a folder, or an archive, from which a job's run can be reproduced elsewhere.

    Args:
        record: of a closed job.
        catalogue: where the task's description is looked up.
        settings: say where the job's directory is, and where else outputs may be.
        destination: what nobody has yet; an archive if it ends so; default: `./<task>-<id>/`.
        with_inputs: whether the inputs are copied; if not, the script names them where they were.

    Raises:
        CannotExport: when the job has not run, or its directory is not here.
        FileExistsError: when the destination is there already.
    """
    material = Material(record, catalogue, _directory_of(record, settings.jobs_directory))
    name = f"{re.sub(r'[^A-Za-z0-9_-]', '_', record.spec.task)}-{record.id[:8]}"
    goal = Path(os.path.abspath(destination or name))
    suffix = next((suffix for suffix in _ARCHIVES if goal.name.endswith(suffix) and goal.name != suffix), "")
    with _fresh(record.id, goal) as draft:
        folder = draft / (goal.name.removesuffix(suffix) if suffix else goal.name)
        folder.mkdir()
        problems = write_folder(folder, material, settings, with_inputs=with_inputs)
        made = folder
        if suffix:
            made = Path(shutil.make_archive(str(draft / "archive"), _ARCHIVES[suffix], draft, folder.name))
        _refuse_existing(record.id, goal)
        made.rename(goal)
    return Exported(goal, tuple(problems))


def _directory_of(record: JobRecord, jobs: Path) -> Path:
    if not record.state.is_terminal:
        raise CannotExport(record.id, f"it is {record.state}; export it when it has ended")
    if record.run is None:
        raise CannotExport(record.id, "its program was never started, so there is no run to reproduce")
    there = record.run.directory.parent.parent
    candidates = [jobs / record.id, *([there] if there.name == record.id else [])]
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise CannotExport(
        record.id,
        f"its directory {candidates[-1]} is not on this machine; it ran on {record.run.host}: export it there, or from a "
        "machine that shares its OUTRIDER_WORK_ROOT",
    )


@contextlib.contextmanager
def _fresh(job_id: str, goal: Path) -> Iterator[Path]:
    """Make a folder beside the goal, where all is prepared; nobody ever sees half an export."""
    _refuse_existing(job_id, goal)
    try:
        goal.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".outrider-export-", dir=goal.parent))
    except OSError as error:
        raise CannotExport(job_id, f"{goal.parent} cannot be written: {error.strerror}") from error
    try:
        yield draft
    except OSError as error:
        raise CannotExport(job_id, f"{error.filename or goal}: {error.strerror or error}") from error
    except UnicodeEncodeError as error:
        raise CannotExport(job_id, f"a file's name is no Unicode, so no {goal.suffix} can hold it") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _refuse_existing(job_id: str, goal: Path) -> None:
    if os.path.lexists(goal):
        raise CannotExport(job_id, f"{goal} exists already; give another destination")
