"""The functions that most producers need, with the client that the environment describes."""

import functools
from collections.abc import Iterable
from typing import Any, TypeVar, overload

from ..communicators import JobRecord
from ..config import load_settings
from .client import Client, HasResult
from .job import Job

__all__ = ["default_client", "job", "jobs", "submit", "submit_many"]

R = TypeVar("R")


@functools.cache
def default_client() -> Client:
    """Return this process's client; its settings are read from the environment at the first call."""
    return Client(load_settings())


@overload
def submit(task: HasResult[R], *, idempotency_key: str | None = None) -> Job[R]: ...
@overload
def submit(task: str, *, idempotency_key: str | None = None, **parameters: Any) -> Job[Any]: ...
def submit(task: HasResult[Any] | str, *, idempotency_key: str | None = None, **parameters: Any) -> Job[Any]:
    """Hand over a task, or the name of one with its parameters, and return its job at once. See `Client.submit`."""
    if isinstance(task, str):
        return default_client().submit(task, idempotency_key=idempotency_key, **parameters)
    return default_client().submit(task, idempotency_key=idempotency_key)


def submit_many(tasks: Iterable[HasResult[R]]) -> list[Job[R]]:
    """Hand over many tasks at once. See `Client.submit_many`."""
    return default_client().submit_many(tasks)


def job(job_id: str) -> Job[Any]:
    """Return the job with this id, whoever submitted it. Raises `JobNotFound`."""
    return default_client().job(job_id)


def jobs(limit: int = 50) -> list[JobRecord]:
    """Return the records of the jobs submitted last, newest first."""
    return default_client().jobs(limit)
