"""What the command line asks for: a task by its name, with words and perhaps a file of parameters, or a job file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from ...tasks import Catalogue, JobDescription, TaskDescription, load_job, load_parameters
from ..client import Client
from .parameters import task_from_words, values_from_words

__all__ = ["Request", "read_request"]

_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True)
class Request:
    """A task with its parameters, and where these come from."""

    task: TaskDescription
    #: The file that was read; `None`: all is on the command line.
    job: JobDescription | None
    #: Where each parameter's value comes from.
    origins: Mapping[str, str]
    #: The parameters that are given in place of the file's.
    changes: Mapping[str, Any] = field(default_factory=dict)


def read_request(client: Client, target: str, words: Sequence[str], file: Path | None) -> Request:
    """Return what is asked for.

    Args:
        client: knows the tasks and tasklets there are.
        target: a task's name, or a job file: a name that ends in `.yaml`, or an existing file that no task is called by.
        words: parameters as `key=value`, in place of the file's.
        file: with parameters of the task.

    Raises:
        UnknownTask, InvalidParameters, InvalidFile: naming each problem.
    """
    catalogue = client.catalogue
    if not _is_job_file(catalogue, target):
        job = load_parameters(target, file) if file and catalogue[target] else None
    elif file:
        raise click.UsageError(
            f"{target} is a job file and has its own parameters; --parameters goes with a task's name"
        )
    else:
        # with words, what the file alone lacks is no problem
        job = load_job(target, None if words else catalogue, client.tasklets)
    if job is None:
        task = task_from_words(catalogue[target], words)
        return Request(task, None, _origins(task, None, words))
    changes = values_from_words(catalogue[job.task], words) if job.task in catalogue else {}
    task = job.task_from(catalogue, changes)
    return Request(task, job, _origins(task, job, words), changes)


def _is_job_file(catalogue: Catalogue, target: str) -> bool:
    return target.endswith(_ENDINGS) or (target not in catalogue and Path(target).is_file())


def _origins(task: TaskDescription, job: JobDescription | None, words: Sequence[str]) -> dict[str, str]:
    given = {word.partition("=")[0] for word in words}
    names = [field.parameter for field in task.task_fields()]
    return {name: "given" if name in given else (job and job.origin(name)) or "default" for name in names}
