"""Celery's configuration, as a pure function of our settings."""

from typing import Any

from .redis_url import for_celery_results, for_kombu
from .settings import Settings


def celery_options(settings: Settings, broker_url: str, result_backend: str) -> dict[str, Any]:
    """Return the configuration of the Celery app.

    Args:
        settings: what the operator decided.
        broker_url: redis-py's URL of the queue (the embedded one's, if none is set).
        result_backend: `module:Class` of the result backend.
    """
    connect_timeout = settings.connect_timeout.total_seconds()
    transport = {
        # A claimed message is acknowledged at once, so this covers only a crash between delivery and claim.
        "visibility_timeout": settings.visibility_timeout.total_seconds(),
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": connect_timeout,
        "socket_timeout": connect_timeout,
        "socket_keepalive": True,
        "max_retries": 0,  # for producers: say so at once; workers reconnect by broker_connection_* below
    }
    return {
        # JSON only: what cannot be said in JSON does not cross Redis.
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_serializer": "json",
        "event_serializer": "json",
        # One job, one slot; a busy worker hoards nothing.
        "worker_pool": settings.pool,  # Celery prefers it to its own --pool=prefork
        "worker_concurrency": settings.concurrency,
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
        "worker_consumer": "outrider.worker.job_consumer:JobConsumer",
        "task_acks_late": False,  # acknowledged by the claim: see worker/job_request.py
        "task_default_queue": settings.queue,
        "task_create_missing_queues": True,
        # Flower's picture.
        "worker_send_task_events": True,
        "task_send_sent_event": False,
        # Redis comes and goes; a worker stays.
        "broker_url": for_kombu(broker_url),
        "broker_transport_options": transport,
        "broker_connection_timeout": connect_timeout,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "result_backend": f"{result_backend}+{for_celery_results(settings.result_url or broker_url)}",
        "result_backend_transport_options": {"retry_policy": {"max_retries": 2, "timeout": 1.0}},
        "result_expires": settings.retention,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "timezone": "UTC",
    }
