"""The functions that most producers need, with the client that the environment describes."""

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, overload

from ..communicators import JobRecord
from ..config import Limits, RetryPolicy, load_settings
from ..tasklets import AskedFor
from ..tasks import JobDescription
from .client import Client
from .has_result import HasResult
from .job import Job
from .job_filter import States
from .submit_options import SubmitOptions

__all__ = ["default_client", "job", "jobs", "load_job", "submit", "submit_many"]

R = TypeVar("R")

_OPTIONS = tuple(field.name for field in dataclasses.fields(SubmitOptions))


@functools.cache
def default_client() -> Client:
    """Return this process's client; its settings are read from the environment at the first call."""
    return Client(load_settings())


@overload
def submit(
    task: HasResult[R],
    *,
    idempotency_key: str | None = None,
    block: bool = False,
    timeout: float | None = None,
    limits: Limits | None = None,
    retry: RetryPolicy | None = None,
    queue: str | None = None,
    before: AskedFor = (),
    after: AskedFor = (),
    without: str | Iterable[str] = (),
) -> Job[R]: ...
@overload
def submit(task: str | JobDescription, **parameters: Any) -> Job[Any]: ...
def submit(task: HasResult[Any] | JobDescription | str, **words: Any) -> Job[Any]:
    """Hand over a task, and return its job at once.

    Args:
        task: a task, the name of one in the catalogue, or what `load_job` has read. Input files may be named from the
            working directory.
        idempotency_key: the first job submitted with this key is returned again instead of a new one.
        block: while the queue is full, wait for a place instead of raising `QueueFull`.
        timeout: seconds to wait for a place; `None`: for ever.
        limits: bounds on the job, in place of the task's.
        retry: when the job may be attempted again, in place of the task's.
        queue: where the job waits, in place of the settings'.
        before: tasklets before the program, behind those that the task, or the job file, brings: signatures such as
            `plot.s()`, tasklets, mappings, or words as on the command line.
        after: tasklets after the program, likewise.
        without: names of tasklets that the task or the job file brings and this job does without; `all`: every one.
        words: the parameters of a task given by name, or those of a job file to be changed; the options above go beside
            them.

    Raises:
        UnknownTask, InvalidParameters, InvalidFile, UnknownTasklet, InvalidTasklet: before anything is recorded.
        QueueFull: when as many jobs wait as the settings allow.
        BrokerUnavailable: when Redis does not answer within the settings' `connect_timeout`, or refuses us.
    """
    options = {name: words.pop(name) for name in _OPTIONS if name in words}
    job: Job[Any] = default_client().submit(task, words, SubmitOptions(**options))
    return job


def load_job(path: Path | str) -> JobDescription:
    """Read a job file, and check it against the tasks that this process knows. Raises `InvalidFile`."""
    return default_client().load_job(path)


def submit_many(tasks: Iterable[HasResult[R]]) -> list[Job[R]]:
    """Hand over many tasks at once. See `Client.submit_many`."""
    return default_client().submit_many(tasks)


def job(job_id: str) -> Job[Any]:
    """Return the job with this id, whoever submitted it. Raises `JobNotFound`."""
    return default_client().job(job_id)


def jobs(
    limit: int = 50,
    *,
    state: States | None = None,
    task: str | None = None,
    since: datetime | timedelta | None = None,
    until: datetime | timedelta | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> list[JobRecord]:
    """Return the records of the jobs submitted last, newest first, and only those that are like this.

    >>> failed = jobs(state="failed", since=timedelta(hours=2), parameters={"bins": 500})  # doctest: +SKIP

    See `Client.jobs`.
    """
    return default_client().jobs(limit, state=state, task=task, since=since, until=until, parameters=parameters)
