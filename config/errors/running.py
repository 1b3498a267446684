"""What stands between a job and its program, or a request and its meaning."""

from .root import OutriderError

__all__ = ["CannotRun", "InvalidReference", "InvalidRequest", "TaskletFailed"]


class InvalidRequest(OutriderError):
    """A line of a driver is no request; each problem names its field, the value, and what is wrong."""

    def __init__(self, line: int, problems: list[str]) -> None:
        super().__init__(line, problems)
        self.line = line
        self.problems = problems

    def __str__(self) -> str:
        return f"line {self.line} is no request: " + "; ".join(self.problems)


class InvalidReference(OutriderError):
    """A `{{ reference }}` leads nowhere, or to what cannot stand in its place; `place` is the way to it in the value."""

    def __init__(self, reference: str, why: str, place: list[str | int]) -> None:
        super().__init__(reference, why, place)
        self.reference = reference
        self.why = why
        self.place = place

    def __str__(self) -> str:
        return f"{self.reference}: {self.why}"


class CannotRun(OutriderError):
    """A job ends before its program starts; `reason` is a `FailureReason` value."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return self.message


class TaskletFailed(OutriderError):
    """A tasklet that ran as a Celery task did not end well; `ended` is the word for how."""

    def __init__(self, tasklet: str, ended: str, why: str, printed: str) -> None:
        super().__init__(tasklet, ended, why, printed)
        self.tasklet = tasklet
        self.ended = ended
        self.why = why
        self.printed = printed

    def __str__(self) -> str:
        return f"the tasklet {self.tasklet!r} failed ({self.ended}): {self.why}"
