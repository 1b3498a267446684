"""Between the broker's message and the job's record: the claim comes first, then the acknowledgement.

A message that is acknowledged is gone, so it must be ours in the ledger before. What reaches us twice is claimed once;
the copy is acknowledged and dropped.
"""

import json
import logging
import uuid
from typing import Any

from celery.exceptions import InvalidTaskError
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from ..communicators import Claim, JobSpec, JobState
from ..config.errors import OutriderError
from .celery_app import executor_host
from .celery_internals import Request, task_accepted, wake_consumer

__all__ = ["JobRequest", "claim_job"]

logger = logging.getLogger(__name__)


def claim_job(request: dict[str, Any]) -> Claim | JobState:
    """Claim the job of a Celery request, or return the state that stands against it. The same request claims once.

    In the `threads` and `solo` pools the request that a task sees is the one that was claimed on acceptance. A `prefork`
    child sees a copy from before, and asks again with the same claim id.
    """
    if (claim := request.get("outrider_claim")) is not None:
        answer: Claim | JobState = claim
        return answer
    raw = request.get("outrider_message", "")
    return executor_host().claim(_spec(request), request["outrider_claim_id"], request["hostname"], raw)


def _spec(request: dict[str, Any]) -> JobSpec:
    """Return what a message asks for, as a record would have it.

    Raises:
        ValidationError: when its id is no plain word, say.
    """
    info = request.get("delivery_info") or {}
    unnamed = {f"positional argument {n}": value for n, value in enumerate(request["args"], start=1)}
    return JobSpec(
        id=request["id"],
        task=request["task"].partition(".")[2],
        version="",
        parameters={**request["kwargs"], **unnamed},  # a task takes no unnamed ones, and will say so
        queue=info.get("routing_key") or "",
        parent_id=request.get("parent_id"),
    )


def _raw(message: Any) -> str:
    """Return the broker's message as JSON, to be published again as it is."""
    body = message.body if isinstance(message.body, str) else bytes(message.body).decode("utf-8", "replace")
    kept = ("correlation_id", "reply_to", "priority", "delivery_mode")
    document = {
        "body": body,
        "content_type": message.content_type,
        "content_encoding": message.content_encoding,
        "headers": message.headers,
        "properties": {name: message.properties[name] for name in kept if message.properties.get(name) is not None},
    }
    return json.dumps(document)


class JobRequest(Request):
    """A Celery request whose truth is in the ledger."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Give this delivery an id of its own: two deliveries of one message are two claims."""
        super().__init__(*args, **kwargs)
        try:
            _spec(self.request_dict).model_dump_json()
        except (ValidationError, PydanticSerializationError) as error:
            raise InvalidTaskError(str(error)) from error
        self.request_dict["outrider_claim_id"] = uuid.uuid4().hex
        self.request_dict["outrider_message"] = _raw(self.message)

    def on_accepted(self, pid: int, time_accepted: float) -> None:
        """Claim the job, then acknowledge the message. Without an answer from the ledger it is not acknowledged."""
        try:
            claim = claim_job(self.request_dict)
        except Exception as error:  # noqa: BLE001 - what leaves this method unhandled takes the slot along
            # No acknowledgement, so the message is not lost; the task asks again and hands it back if it must.
            logger.warning("cannot claim: %s", error, extra={"action": "claim_failed", "job_id": self.id})
            self.worker_pid = pid
            task_accepted(self)
            return
        self.request_dict["outrider_claim"] = claim
        if isinstance(claim, Claim):
            super().on_accepted(pid, time_accepted)
        else:  # a copy of a message that was claimed before, or the job is closed
            self.worker_pid = pid
            task_accepted(self)
            self.acknowledge()

    def send_event(self, type: str, **fields: Any) -> None:  # noqa: A002 - Celery's name
        """Say with each event what the first one says: a Flower that was started late knows the job, too."""
        known = {"name": self.name, "args": self.argsrepr, "kwargs": self.kwargsrepr, "root_id": self.root_id}
        super().send_event(type, **{**known, **fields})
        wake_consumer()

    def revoked(self) -> bool:
        """Say whether the job was revoked before it started; then its record is closed as well."""
        revoked = bool(super().revoked())
        if revoked:
            self._request_cancel()
        return revoked

    def terminate(self, pool: Any, signal: Any = None) -> None:  # noqa: ARG002 - Celery calls it so
        """Cancel the job as `Job.cancel` does: its Executor stops the whole tree, in every pool, and reports the end."""
        self._request_cancel()

    def cancel(self, pool: Any, signal: Any = None, emit_retry: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002
        """Hand the job back at once: Celery asks for this when it is told a second time to stop."""
        executor_host().drain(hurry=True)

    def _request_cancel(self) -> None:
        try:
            executor_host().request_cancel(self.id)
        except OutriderError:
            logger.exception("cannot cancel", extra={"action": "cancel_failed", "job_id": self.id})
