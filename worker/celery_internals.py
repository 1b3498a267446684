"""What we rely on in Celery beyond its documented interface, in one place and checked when a worker starts.

A Celery that changed one of these must be a clear error, not a job that silently runs twice.
"""

import inspect

import celery
from celery.worker.consumer import Consumer
from celery.worker.request import Request, create_request_cls
from celery.worker.state import task_accepted
from celery.worker.strategy import default as default_strategy
from kombu.asynchronous import get_event_loop
from kombu.transport.redis import Channel

from ..config.errors import SettingsError

__all__ = ["Request", "check_celery", "default_strategy", "task_accepted", "wake_consumer"]

#: Methods that we override, with the parameters that Celery and kombu call them with.
_OVERRIDDEN: tuple[tuple[type, str, tuple[str, ...]], ...] = (
    (Request, "on_accepted", ("self", "pid", "time_accepted")),
    (Request, "revoked", ("self",)),
    (Request, "send_event", ("self", "type", "fields")),
    (Request, "terminate", ("self", "pool", "signal")),
    (Consumer, "on_send_event_buffered", ("self",)),
    (Channel, "_create_client", ("self", "asynchronous")),
)
#: What we use of a request as it is.
_USED = ("acknowledge", "argsrepr", "kwargsrepr", "message", "request_dict", "root_id")
#: How Celery must go on: the pool calls `on_accepted` before the task, with the dictionary that the task will see, and the
#: class of a task's requests is the one that the task names.
_FLOW = {
    create_request_cls: ("accept_callback=self.on_accepted", "self.request_dict", "self.revoked()"),
    default_strategy: ("task.Request",),
    Consumer: ("self._flush_events", "self.hub.call_soon"),
}


def wake_consumer() -> None:
    """Have the consumer look for messages: a slot may be free now, and only a hub that is awake asks for the next one."""
    if hub := get_event_loop():
        hub.call_soon(lambda: None)  # type: ignore[no-untyped-call]


def check_celery() -> None:
    """Make sure that this Celery is one that we know.

    Raises:
        SettingsError: naming what has changed.
    """
    changed = [
        f"{owner.__name__}.{name}{expected}"
        for owner, name, expected in _OVERRIDDEN
        if tuple(inspect.signature(getattr(owner, name, lambda: None)).parameters) != expected
    ]
    changed += [f"Request.{name}" for name in _USED if not hasattr(Request, name)]
    for function, phrases in _FLOW.items():
        source = inspect.getsource(function)
        changed += [f"{phrase!r} in {function.__name__}" for phrase in phrases if phrase not in source]
    if changed:
        raise SettingsError(
            f"Celery {celery.__version__} has changed {', '.join(changed)}; use one that pyproject.toml allows"
        )
