"""From a program that ended well to a job that did: its declared outputs, and the result that its task reads from them."""

import json

from ..communicators import FailureReason, JobState, Outcome
from ..tasks import ProgramRun, ThirdPartyTask
from .job_directory import JobDirectory
from .outputs import collect_outputs, missing_outputs

__all__ = ["with_result"]

#: Bytes of an outcome as JSON; Redis takes 512 MB at the most, and every watcher reads it.
_LARGEST = 16 * 2**20


def with_result(task: ThirdPartyTask, directory: JobDirectory, outcome: Outcome) -> Outcome:
    """Return the outcome with outputs and result, or turned into a failure by either. Blocks; for a thread.

    Only for the holder of the newest claim: it moves the outputs into place.
    """
    if missing := missing_outputs(task, directory):
        return _failed(outcome, FailureReason.MISSING_OUTPUT, "the program ended well, but " + "; ".join(missing))
    outputs = collect_outputs(task, directory)
    outcome = outcome.model_copy(update={"outputs": outputs})
    run = ProgramRun(
        directory=directory.work,
        exit_code=outcome.exit.exit_code or 0 if outcome.exit else 0,
        outputs={name: output.path for name, output in outputs.items()},
        stdout_path=directory.stdout,
        stderr_path=directory.stderr,
    )
    try:
        adapter = task.result_adapter()
        result = adapter.dump_python(adapter.validate_python(task.read_result(run)), mode="json")
        return _proven(outcome.model_copy(update={"result": result}))
    except BaseException as error:  # noqa: BLE001 - the task author's code may raise anything, in this thread of ours
        reading = f"the program ended well, but {task.name}.read_result raised {type(error).__name__}: {error}"
        return _failed(outcome, FailureReason.RESULT, reading)


def _proven(outcome: Outcome) -> Outcome:
    """Return the outcome if it survives the journey to its producer.

    Raises:
        ValueError: when it is too large, nested too deeply, or no Unicode.
    """
    text = outcome.model_dump_json()
    if len(text) > _LARGEST:
        raise ValueError(
            f"the result takes {len(text)} bytes as JSON, more than {_LARGEST}; declare a file as an output"
        )
    json.loads(text)
    return outcome


def _failed(outcome: Outcome, reason: FailureReason, error: str) -> Outcome:
    text = error.encode("utf-8", "replace").decode()
    return outcome.model_copy(update={"state": JobState.FAILED, "reason": reason, "error": text})
