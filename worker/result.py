"""From a program that ended well to a job that did: its declared outputs, and the result that its task reads from them."""

from ..communicators import FailureReason, JobState, Outcome
from ..tasks import ProgramRun, ThirdPartyTask
from .job_directory import JobDirectory
from .outputs import collect_outputs, missing_outputs

__all__ = ["with_result"]


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
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the task author's code may raise anything
        reading = f"the program ended well, but {task.name}.read_result raised {type(error).__name__}: {error}"
        return _failed(outcome, FailureReason.RESULT, reading)
    return outcome.model_copy(update={"result": result})


def _failed(outcome: Outcome, reason: FailureReason, error: str) -> Outcome:
    return outcome.model_copy(update={"state": JobState.FAILED, "reason": reason, "error": error})
