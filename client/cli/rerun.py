"""The command that runs a job again."""

import contextlib
import json
from collections.abc import Sequence
from typing import Any

import click
from pydantic import TypeAdapter, ValidationError

from ...config.errors import InvalidParameters
from ...tasks import TaskDescription
from ..default import default_client
from .following import follow
from .found import found_record
from .output import json_option, print_json
from .tasklet_options import tasklet_options

__all__ = ["rerun"]


@click.command()
@click.argument("job_id")
@click.option(
    "-p",
    "--parameter",
    "words",
    multiple=True,
    metavar="KEY=VALUE",
    help="Another value; of a list, each item again, in place of the recorded ones; of a mapping, JSON.",
)
@click.option("--queue", metavar="NAME", help="In place of the recorded one.")
@tasklet_options
@click.option("--watch", "watching", is_flag=True, help="Follow the new job; leave with 0 only if it succeeds.")
@json_option
def rerun(
    job_id: str,
    words: tuple[str, ...],
    queue: str | None,
    watching: bool,
    as_json: bool,
    **tasklets: Any,
) -> None:
    """Submit a job's recorded parameters again, some of them changed, and print the new job's id."""
    client, record = default_client(), found_record(job_id)
    changes = _changes(client.catalogue[record.spec.task], words)
    job = client.rerun(record, changes, queue, **tasklets)
    if as_json and not watching:
        print_json({"id": job.id, "rerun_of": record.id})
    elif not as_json:
        click.echo(job.id)
    if watching:
        follow(job, as_json=as_json)


def _changes(task: type[TaskDescription], words: Sequence[str]) -> dict[str, Any]:
    """Return the values that `key=value` words give.

    Raises:
        InvalidParameters: naming each word that is none, or is given twice and is no list.
    """
    lists = {name for field in task.task_fields() if field.is_list for name in (field.name, field.parameter)}
    changes: dict[str, Any] = {}
    problems: list[str] = []
    for word in words:
        key, equals, text = word.partition("=")
        if not equals:
            problems.append(f"{word!r} is not KEY=VALUE")
        elif key in lists:
            changes.setdefault(key, []).append(text)
        elif key in changes:
            problems.append(f"{key} is given twice and is no list")
        else:
            changes[key] = _value(task, key, text)
    if problems:
        raise InvalidParameters(task.name, problems)
    return changes


def _value(task: type[TaskDescription], key: str, text: str) -> Any:
    """Return the mapping that a text is in JSON, where no text will do; any other text stays text: `0012` is `0012`."""
    fields = {
        name: task.model_fields[field.name] for field in task.task_fields() for name in (field.name, field.parameter)
    }
    if key not in fields or not text.lstrip().startswith("{"):
        return text
    try:
        kind: Any = fields[key].annotation
        TypeAdapter(kind).validate_python(text)
    except ValidationError:
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(text)
    return text
