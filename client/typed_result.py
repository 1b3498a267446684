"""From the JSON that a record holds to the type that a task promises."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..communicators import ArtifactStore, JobState, Outcome, StoredFile, unpack
from ..config.errors import JobCancelled, JobError, JobFailed, JobLost, JobTimedOut

__all__ = ["job_error", "job_result", "typed_result"]


def job_result(job_id: str, outcome: Outcome, adapter: TypeAdapter[Any] | None, store: ArtifactStore) -> Any:
    """Return the result of a job that has ended, in its type. Blocks where a part of it is in the store.

    Raises:
        JobFailed, JobTimedOut, JobCancelled, JobLost: when it did not succeed.
        ArtifactUnavailable, ArtifactDamaged: when a part of it cannot be had from the artefact store.
    """
    if outcome.state is not JobState.SUCCEEDED:
        raise job_error(job_id, outcome)
    return typed_result(unpack(outcome.result, store), adapter)


def job_error(job_id: str, outcome: Outcome) -> JobError:
    """Return what is raised in place of the result of a job that did not succeed."""
    match outcome.state:
        case JobState.TIMED_OUT:
            return JobTimedOut(job_id, outcome.message)
        case JobState.CANCELLED:
            return JobCancelled(job_id, outcome.message)
        case JobState.LOST:
            return JobLost(job_id, outcome.message)
        case _:
            return JobFailed(job_id, str(outcome.reason), outcome.message)


def typed_result(value: Any, adapter: TypeAdapter[Any] | None) -> Any:
    """Return an unpacked result in its type; with no adapter, as it is.

    Where the type names a class that does not travel, such as a figure's, the value is returned as it travelled: a mapping
    in place of a dataclass, with a `StoredFile` or `Opaque` in place of the object.

    Raises:
        ValidationError: when it is of another type.
    """
    if adapter is None:
        return value
    try:
        return adapter.validate_python(value, context={"from": "ledger"})
    except ValidationError as error:
        if all(map(_stands_in, error.errors(include_url=False))):
            return value
        raise


def _stands_in(problem: Any) -> bool:
    """Say whether a class was expected and there is what arrives in place of its objects: a file, or a plain number."""
    return problem["type"] == "is_instance_of" and isinstance(problem["input"], StoredFile | int | float)
