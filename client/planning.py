"""Which tasklets a job gets: its task's, then those of the job file, then those of the submission. Pure."""

from ..communicators import JobRecord
from ..tasklets import TaskletPlan
from ..tasks import JobDescription, TaskDescription
from .submit_options import SubmitOptions

__all__ = ["plan_again", "plan_of"]

#: Where those come from that the submission itself asks for.
_GIVEN = "given"


def plan_of(task: TaskDescription, job: JobDescription | None, options: SubmitOptions) -> TaskletPlan:
    """Return the tasklets of a job: what a file leaves out is the task's, what a submission leaves out is either's.

    Raises:
        InvalidTasklet: when one cannot be understood, or there is none to leave out.
    """
    plan = TaskletPlan().plus(task.before, task.after, f"task {task.name}")
    if job:
        plan = plan.without(job.without).with_tasklets(job.tasklets)
    return _changed(plan, options)


def plan_again(record: JobRecord, options: SubmitOptions) -> TaskletPlan:
    """Return the recorded tasklets, changed by a submission. Raises as `plan_of` does."""
    return _changed(TaskletPlan().plus(record.spec.before, record.spec.after, f"job {record.id}"), options)


def _changed(plan: TaskletPlan, options: SubmitOptions) -> TaskletPlan:
    return plan.without(options.without).plus(options.before, options.after, _GIVEN)
