"""What an operator decides: settings, errors, Celery's options, logging, the embedded Redis."""

from .celery_options import celery_options
from .durations import Duration
from .embedded_redis import embedded_redis_url, find_redis_server, runtime_directory
from .launch_words import filled, placeholders_in, split_words
from .logs import set_up_logging
from .near_names import did_you_mean
from .policies import Limits, QueueName, RetryPolicy
from .project import project_folder
from .redis_url import check_redis_url, for_kombu, shown
from .reference_path import root_name, steps_of
from .references import Budget, check_references, defer, escape, references_in, resolve
from .regular_file import open_regular
from .settings import Settings, load_settings, program_environment, service_environment
from .task_sources import YAML_ENDINGS, is_file_source

__all__ = [
    "YAML_ENDINGS",
    "Budget",
    "Duration",
    "Limits",
    "QueueName",
    "RetryPolicy",
    "Settings",
    "broker_url",
    "celery_options",
    "check_redis_url",
    "check_references",
    "defer",
    "did_you_mean",
    "embedded_redis_url",
    "escape",
    "filled",
    "find_redis_server",
    "for_kombu",
    "is_file_source",
    "ledger_url",
    "load_settings",
    "open_regular",
    "placeholders_in",
    "program_environment",
    "project_folder",
    "references_in",
    "resolve",
    "root_name",
    "runtime_directory",
    "service_environment",
    "set_up_logging",
    "shown",
    "split_words",
    "steps_of",
]


def broker_url(settings: Settings) -> str:
    """Return redis-py's URL of the queue; with none configured, start the embedded Redis and return its URL."""
    if settings.broker_url is None:
        return embedded_redis_url(settings.project)
    return check_redis_url(settings.broker_url, "OUTRIDER_BROKER_URL")


def ledger_url(settings: Settings) -> str:
    """Return redis-py's URL of the records and messages: the broker's, unless another is set."""
    if settings.ledger_url is None:
        return broker_url(settings)
    return check_redis_url(settings.ledger_url, "OUTRIDER_LEDGER_URL")
