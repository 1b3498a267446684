"""From a record to the task that is to be run again."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..communicators import JobRecord
from ..tasks import Catalogue, TaskDescription
from .program_version import program_version_here

__all__ = ["task_again", "versions_changed"]

logger = logging.getLogger(__name__)


def task_again(catalogue: Catalogue, record: JobRecord, changes: Mapping[str, Any]) -> TaskDescription:
    """Return the recorded task with some parameters changed; what is not changed stays to the letter.

    Raises:
        UnknownTask: when the task is not in the catalogue any more.
        InvalidParameters: when a parameter does not fit, or does not fit any more.
    """
    cls = catalogue[record.spec.task]
    fields = {name: field for field in cls.task_fields() for name in (field.name, field.parameter)}
    changed = {fields[name].parameter if name in fields else name: value for name, value in changes.items()}
    task = cls.from_parameters({**record.spec.parameters, **changed})
    for warning in versions_changed(record, task):
        logger.warning("%s", warning, extra={"action": "version_changed", "job_id": record.id})
    absolute = task.with_absolute_inputs(Path.cwd())
    given = {f.name: getattr(absolute, f.name) for f in cls.task_fields() if f.parameter in changed}
    return task.model_copy(update=given)


def versions_changed(record: JobRecord, task: TaskDescription) -> list[str]:
    """Return a sentence for each version that is another than in the record, as far as this machine knows."""
    found: list[str] = []
    before, now = record.spec.version, task.version
    if before and before != now:
        found.append(f"the description of {task.name!r} has version {now}; job {record.id} ran version {before}")
    program = record.provenance.program_version if record.provenance else ""
    here = program_version_here(task) if program else ""
    if here and here != program:
        found.append(f"the program says {here!r} here; for job {record.id} it said {program!r}")
    return found
