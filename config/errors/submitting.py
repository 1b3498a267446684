"""What `submit` raises: nothing was enqueued and no open record stays."""

from .root import OutriderError

__all__ = [
    "BrokerUnavailable",
    "CannotTravel",
    "CoordinatorClosed",
    "IdempotencyKeyReused",
    "InvalidFile",
    "InvalidParameters",
    "InvalidTasklet",
    "QueueFull",
    "SubmitError",
    "SubmittedAtImport",
    "UnknownStrategy",
    "UnknownTask",
    "UnknownTasklet",
]


class SubmitError(OutriderError):
    """The root of what `submit` raises: nothing was enqueued and no open record stays."""


class UnknownTask(SubmitError, KeyError):
    """No task of the catalogue has this name."""

    def __init__(self, name: str, suggestions: list[str]) -> None:
        super().__init__(name, suggestions)
        self.name = name
        self.suggestions = suggestions

    def __str__(self) -> str:
        hint = f"did you mean {' or '.join(map(repr, self.suggestions))}?" if self.suggestions else ""
        known = "list them with `outrider tasks`; modules of your own go into OUTRIDER_TASKS"
        return f"no task is called {self.name!r}; {hint or known}"


class InvalidParameters(SubmitError):
    """Parameters do not fit the task; each problem names its field, the value, and what is wrong."""

    def __init__(self, task: str, problems: list[str]) -> None:
        super().__init__(task, problems)
        self.task = task
        self.problems = problems

    def __str__(self) -> str:
        return f"wrong parameters for task {self.task!r}: " + "; ".join(self.problems)


class InvalidFile(SubmitError):
    """A YAML file is not what it should be; each problem names its line, the place in the document and what is wrong."""

    def __init__(self, path: str, problems: list[str]) -> None:
        super().__init__(path, problems)
        self.path = path
        self.problems = problems

    def __str__(self) -> str:
        return f"{self.path}: " + "; ".join(self.problems)


class UnknownTasklet(SubmitError, KeyError):
    """No tasklet that is known here has this name."""

    def __init__(self, name: str, suggestions: list[str]) -> None:
        super().__init__(name, suggestions)
        self.name = name
        self.suggestions = suggestions

    def __str__(self) -> str:
        hint = f"did you mean {' or '.join(map(repr, self.suggestions))}?" if self.suggestions else ""
        return f"no tasklet is called {self.name!r}; {hint or 'modules of your own go into OUTRIDER_TASKS'}"


class InvalidTasklet(SubmitError):
    """A tasklet is asked for in a way that it cannot run; each problem names the argument or option, and what is wrong."""

    def __init__(self, tasklet: str, problems: list[str]) -> None:
        super().__init__(tasklet, problems)
        self.tasklet = tasklet
        self.problems = problems

    def __str__(self) -> str:
        return f"wrong use of tasklet {self.tasklet!r}: " + "; ".join(self.problems)


class IdempotencyKeyReused(SubmitError):
    """The key belongs to a job with another task or other parameters."""

    def __init__(self, key: str, job_id: str, task: str) -> None:
        super().__init__(key, job_id, task)
        self.key = key
        self.job_id = job_id
        self.task = task

    def __str__(self) -> str:
        return (
            f"the key {self.key!r} belongs to job {self.job_id} ({self.task}) with other parameters; take another key"
        )


class SubmittedAtImport(SubmitError):
    """A task module submits when it is imported; so would every worker and every command."""

    def __init__(self, module: str) -> None:
        super().__init__(module)
        self.module = module

    def __str__(self) -> str:
        return f"{self.module!r} submits while it is imported as a task module; put that under `if __name__ == '__main__':`"


class QueueFull(SubmitError):
    """As many jobs wait as the settings allow."""

    def __init__(self, queued: int, limit: int) -> None:
        super().__init__(queued, limit)
        self.queued = queued
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"{self.queued} jobs wait already, and {self.limit} may (max_queued, OUTRIDER_MAX_QUEUED); try again later"
        )


class UnknownStrategy(SubmitError, KeyError):
    """A coordinator has no strategy of this name."""

    def __init__(self, mode: str, known: list[str]) -> None:
        super().__init__(mode, known)
        self.mode = mode
        self.known = known

    def __str__(self) -> str:
        return f"no execution mode is called {self.mode!r}; this coordinator has {', '.join(self.known)}"


class CoordinatorClosed(SubmitError):
    """A coordinator that was shut down takes no more jobs."""

    def __init__(self) -> None:
        super().__init__()

    def __str__(self) -> str:
        return "the coordinator was shut down and takes no more jobs; make another"


class CannotTravel(SubmitError, TypeError):
    """A function, or a task's class, cannot be carried out where it was sent."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(name, why)
        self.name = name
        self.why = why

    def __str__(self) -> str:
        return f"{self.name} cannot be sent: {self.why}"


class BrokerUnavailable(SubmitError):
    """The broker or the ledger did not answer in time, or refused us."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url = url
        self.reason = reason

    def __str__(self) -> str:
        return f"Redis at {self.url} cannot be used: {self.reason}; check OUTRIDER_BROKER_URL and the server"
