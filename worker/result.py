"""From a program that ended well to a job that did: its declared outputs, and the result that its task reads from them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from ..communicators import FailureReason, Finished, JobState, Outcome, pack
from ..config.errors import ArtifactError, CannotPack, CannotRun, SettingsError
from ..tasks import ProgramRun, TaskDescription, ThirdPartyTask
from .job_directory import JobDirectory
from .outputs import collect_outputs, missing_outputs
from .site import Site
from .verdict import shortened

__all__ = ["Making", "with_result", "with_value"]


def with_result(
    task: TaskDescription,
    directory: JobDirectory,
    outcome: Outcome,
    site: Site,
    read_result: Callable[[ProgramRun], Any],
) -> Outcome:
    """Return the outcome with outputs and result, or turned into a failure by either. Blocks; for a thread.

    Only for the holder of the newest claim: it moves the outputs into place.

    Args:
        task: what was run.
        directory: where it ran.
        outcome: as the program alone decides it.
        site: where what is large, or no JSON, is kept.
        read_result: makes the result from what the program left.
    """
    if missing := missing_outputs(task, directory):
        return _failed(outcome, FailureReason.MISSING_OUTPUT, "the program ended well, but " + "; ".join(missing))
    try:
        outputs = collect_outputs(task, directory)
    except CannotRun as error:
        return _failed(outcome, FailureReason(error.reason), f"the program ended well, but {error}")
    outcome = outcome.model_copy(update={"outputs": outputs})
    run = ProgramRun(
        directory=task.working_directory() or directory.work,
        exit_code=outcome.exit.exit_code or 0 if outcome.exit else 0,
        outputs={name: output.path for name, output in outputs.items()},
        stdout_path=directory.stdout,
        stderr_path=directory.stderr,
    )
    what = f"{task.name}.read_result" if isinstance(task, ThirdPartyTask) else f"the type of {task.name}'s result"
    making = Making(task.result_adapter(), lambda: read_result(run), what, "the program ended well")
    return with_value(outcome, making, site, directory.artifacts)


@dataclass(frozen=True)
class Making:
    """How a result is made, and what is said when that fails."""

    adapter: TypeAdapter[Any]
    make: Callable[[], Any]
    #: Whose fault an error is.
    what: str
    #: What went well before.
    before: str


def with_value(outcome: Outcome, making: Making, site: Site, folder: str) -> Outcome:
    """Return the outcome with a result, which travels by the store's folder where it must, or as a failure. May block."""
    try:
        value = making.adapter.dump_python(making.adapter.validate_python(making.make()))
        result = pack(value, site.store, folder, site.inline_limit)
        return _proven(outcome.model_copy(update={"result": result}))
    except (ArtifactError, CannotPack, SettingsError) as error:
        told = f"{making.before}, but its result cannot be kept: {error}"
    except BaseException as error:  # noqa: BLE001 - the task author's code may raise anything, in this thread of ours
        told = f"{making.before}, but {making.what} raised {type(error).__name__}: {error}"
    return _failed(outcome, FailureReason.RESULT, told)


def _proven(outcome: Outcome) -> Outcome:
    """Return the outcome if it survives the journey to its producer.

    Raises:
        ValueError: when it is nested too deeply, or no Unicode.
    """
    json.loads(Finished(outcome=outcome).model_dump_json())
    return outcome


def _failed(outcome: Outcome, reason: FailureReason, error: str) -> Outcome:
    return outcome.model_copy(update={"state": JobState.FAILED, "reason": reason, "error": shortened(error)})
