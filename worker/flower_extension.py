"""Progress in Flower's list of tasks, and a Flower that is not open to strangers.

Flower keeps Celery's picture of each task. A stock progress event would change the task's state and so hide the Terminate
button; ours leaves the state alone. These are internals of Flower 2.2 (see pyproject.toml); a test guards them.
"""

from typing import Any
from urllib.parse import urlsplit

import flower.events
import flower.views.tasks
from celery.events.state import Task
from flower.views import BaseHandler
from tornado.options import options
from tornado.web import HTTPError

from ..config.errors import SettingsError

__all__ = ["JobEventsState", "JobEventsTask", "install"]

#: What Flower shows unless the operator chose otherwise (flower/options.py).
_STOCK_COLUMNS = "name,uuid,state,received,runtime,worker"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


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
            task, _ = self.get_or_create_task(event["uuid"])  # the event of its beginning may still be under way
            task.progress = event["progress"]
            return
        super().event(event)


def install() -> None:
    """Put our classes in the place of Flower's, show the progress unless the operator chose the columns, and lock the door.

    Raises:
        SettingsError: when Flower would be open to strangers.
    """
    _keep_strangers_out()
    flower.events.EventsState = JobEventsState
    flower.views.tasks.TASK_COLUMNS["progress"] = "Progress"
    if options.tasks_columns == _STOCK_COLUMNS:
        options.tasks_columns = _STOCK_COLUMNS.replace("state,", "state,progress,")


def _keep_strangers_out() -> None:
    """Listen on loopback unless told otherwise; for any other address ask for credentials.

    Flower's own default is every address without a question. On loopback its buttons work without credentials.
    """
    options.address = options.address or "127.0.0.1"
    if options.address in _LOOPBACK or options.unix_socket:
        BaseHandler.unauthenticated_api = True
        BaseHandler.set_default_headers = _set_headers
        BaseHandler.check_xsrf_cookie = _refuse_other_sites
    elif not (options.basic_auth or options.auth):
        raise SettingsError(
            f"Flower at {options.address} would be open to everybody: give --basic-auth=user:password (or --auth), "
            "or --address=127.0.0.1"
        )


def _set_headers(handler: BaseHandler) -> None:
    """Let no page of another site read what Flower answers; its own way to open the API would allow that."""
    handler.set_header("X-Content-Type-Options", "nosniff")


def _refuse_other_sites(handler: BaseHandler) -> None:
    """Refuse what a page of another site, open in the operator's browser, asks to be done."""
    site, origin = (handler.request.headers.get(name) for name in ("Sec-Fetch-Site", "Origin"))
    host = handler.request.host
    foreign = site not in (None, "same-origin", "none") or (origin and urlsplit(origin).netloc != host)
    if foreign or urlsplit(f"//{host}").hostname not in _LOOPBACK:
        raise HTTPError(403, "Only pages of this Flower may do this")
