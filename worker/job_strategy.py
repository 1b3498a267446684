"""Between the queue and a request: whatever a message holds, it ends as a job or as a refused message, never as the worker.

Celery's consumer takes only its own errors for a bad message; any other ends the worker, and the next one as well.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from celery.exceptions import InvalidTaskError
from kombu.exceptions import ContentDisallowed, DecodeError

from .celery_internals import default_strategy

__all__ = ["job_strategy"]

logger = logging.getLogger(__name__)

_REFUSALS = (InvalidTaskError, ContentDisallowed, DecodeError)


def job_strategy(task: Any, app: Any, consumer: Any, **options: Any) -> Callable[..., Any]:
    """Return what handles the messages of a task (`celery.Task.Strategy`)."""
    handle = default_strategy(task, app, consumer, **options)

    def handle_or_refuse(message: Any, body: Any, ack: Any, reject: Any, callbacks: Any, **words: Any) -> Any:
        try:
            _check_payload(message.payload)
            return handle(message, body, ack, reject, callbacks, **words)
        except (*_REFUSALS, *consumer.connection_errors):
            raise
        except Exception as error:
            logger.warning("refused a message", exc_info=True, extra={"action": "message_refused"})
            raise InvalidTaskError(f"{type(error).__name__}: {error}") from error

    return handle_or_refuse


def _check_payload(payload: Any) -> None:
    """Make sure that a message's payload is what a task can be called with.

    Raises:
        InvalidTaskError: saying what it is instead.
    """
    match payload:
        case [list(), dict() as kwargs, dict() | None]:
            pass
        case _:
            raise InvalidTaskError("the payload is not [arguments, parameters, links]")
    if "self" in kwargs:
        raise InvalidTaskError("no parameter is called 'self'")
    json.dumps(payload, allow_nan=True).encode()  # also refuses what is no Unicode, or nested too deeply
