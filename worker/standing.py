"""Where a job stands after its program, as its tasklets find and change it. Pure."""

from ..communicators import FailureReason, JobState, Outcome, TaskletRun, TaskletState
from ..tasklets import TaskletCall
from .verdict import Stop, shortened

__all__ = ["Standing", "complaint", "runs_at"]

_MATCHING = {"success": JobState.SUCCEEDED, "failure": JobState.FAILED}


def runs_at(call: TaskletCall, state: JobState) -> bool:
    """Say whether a call's condition is met in a state."""
    return call.when == "always" or _MATCHING[call.when] is state


def complaint(run: TaskletRun) -> str:
    """Return how a tasklet failed, in words."""
    how = {TaskletState.CRASHED: "crashed", TaskletState.TIMED_OUT: "timed out", TaskletState.CANCELLED: "was stopped"}
    return f"{how.get(run.state, 'failed')}: {run.error}"


class Standing:
    """The outcome so far, and which tasklets still run."""

    def __init__(self, outcome: Outcome) -> None:
        """Begin with the outcome as the program has left it."""
        self.outcome = outcome
        self._cancelled = outcome.state is JobState.CANCELLED
        #: Why nothing more runs.
        self._over = ""
        self._handed_back: Stop | None = None
        self._unfinished = False

    @property
    def end(self) -> Outcome:
        """What becomes of the job: `queued` when it is handed back because something that it needs has not run."""
        if self._handed_back and self._unfinished and self.outcome.state is JobState.SUCCEEDED:
            return Outcome(state=JobState.QUEUED, error=f"the attempt {self._handed_back.error}")
        return self.outcome

    def cancel(self) -> None:
        """Somebody has cancelled the job: only those that always run still do; cancelled again, none does."""
        if self._cancelled:
            self._over = "the job was cancelled again"
        self._cancelled = True
        if self.outcome.state is JobState.SUCCEEDED:
            error = "the job was cancelled after its program had ended well"
            self.outcome = self.outcome.model_copy(update={"state": JobState.CANCELLED, "error": error})

    def hand_back(self, stop: Stop) -> None:
        """The worker ends: nothing more runs here."""
        self._handed_back = stop
        self._over = f"the attempt {stop.error}"

    def why_not(self, call: TaskletCall) -> str:
        """Return why a tasklet does not run, if it does not."""
        if not runs_at(call, self.outcome.state):
            return f"runs after a {call.when}; the job {_WORDS[self.outcome.state]}"
        if self._over:
            self._unfinished = self._unfinished or call.required
            return self._over
        if self._cancelled and call.when != "always":
            return "the job was cancelled"
        return ""

    def judge(self, call: TaskletCall, run: TaskletRun) -> str:
        """Take what became of a tasklet, and return what is to be warned of, if that is all."""
        if run.ok:
            return ""
        if run.state is TaskletState.CANCELLED and (self._over or self._cancelled):
            self._unfinished = self._unfinished or call.required
        elif call.required and self.outcome.state is JobState.SUCCEEDED:
            error = shortened(f"the program ended well, but the tasklet {call.tasklet} {complaint(run)}")
            changes = {"state": JobState.FAILED, "reason": FailureReason.TASKLET, "error": error}
            self.outcome = self.outcome.model_copy(update=changes)
            return ""
        return complaint(run)


_WORDS = {
    JobState.SUCCEEDED: "succeeded",
    JobState.FAILED: "failed",
    JobState.TIMED_OUT: "timed out",
    JobState.CANCELLED: "was cancelled",
}
