"""Progress in Flower's list of tasks.

Flower keeps Celery's picture of each task. A stock progress event would change the task's state and so hide the Terminate
button; ours leaves the state alone. These are internals of Flower 2.2 (see pyproject.toml); a test guards them.
"""

from typing import Any

import flower.events
import flower.views.tasks
from celery.events.state import Task
from tornado.options import options

__all__ = ["JobEventsState", "JobEventsTask", "install"]


class JobEventsTask(Task):
    """Celery's picture of a task, with a job's progress."""

    progress: str | None = None
    _fields = (*Task._fields, "progress")


class JobEventsState(flower.events.EventsState):
    """Flower's picture of all tasks, which takes our progress events, too."""

    Task = JobEventsTask

    def event(self, event: dict[str, Any]) -> None:
        """Take one event."""
        if event["type"] == "outrider-progress":
            if (task := self.tasks.get(event["uuid"])) is not None:
                task.progress = event["progress"]
            return
        super().event(event)


def install() -> None:
    """Put our classes in the place of Flower's, and show the progress unless the operator chose the columns."""
    flower.events.EventsState = JobEventsState
    flower.views.tasks.TASK_COLUMNS["progress"] = "Progress"
    columns = options.tasks_columns
    if columns == options._options["tasks_columns"].default:  # noqa: SLF001 - Tornado has no other way to ask
        options.tasks_columns = columns.replace("state,", "state,progress,", 1)
