"""The command that finds jobs."""

import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from pydantic import TypeAdapter, ValidationError

from ...communicators import JobRecord, Wish
from ...config import Duration, shown
from ..default import default_client
from ..job_filter import STATE_WORDS, job_filter
from ..listing import newest_jobs
from .output import ago_text, json_option, print_json, print_table, state_text

__all__ = ["jobs"]

_DURATION = TypeAdapter(Duration)


def _moment(_ctx: click.Context, _param: click.Parameter, word: str | None) -> datetime | timedelta | None:
    """Return the moment that a word means: an ISO time, local if it names no zone, or so long ago."""
    if word is None:
        return None
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(word)
    try:
        ago: timedelta = _DURATION.validate_python(word)
    except ValidationError:
        raise click.BadParameter(
            f"{word!r} is neither a time such as 2026-11-20T14:30 nor so long ago, such as 2h or 7d"
        ) from None
    return ago


@click.command()
@click.option("-n", "--limit", default=20, show_default=True, help="How many of the newest jobs.")
@click.option("--state", "states", multiple=True, type=click.Choice(STATE_WORDS), help="Only those; again for more.")
@click.option("--task", help="Only jobs of this task.")
@click.option("--since", callback=_moment, metavar="TIME|2h|7d", help="Submitted since then: a time, or so long ago.")
@click.option(
    "--until", callback=_moment, metavar="TIME|2h|7d", help="Submitted before then (a date: its first moment)."
)
@click.option(
    "-p",
    "--parameter",
    "words",
    multiple=True,
    metavar="KEY=VALUE",
    help="Only jobs whose parameter has, or holds, this value: text or JSON.",
)
@json_option
def jobs(
    limit: int,
    states: tuple[str, ...],
    task: str | None,
    since: datetime | timedelta | None,
    until: datetime | timedelta | None,
    words: tuple[str, ...],
    as_json: bool,
) -> None:
    """List the newest jobs, or those of them that are like this."""
    redis, values = default_client().redis, _values(words)
    wanted = job_filter(
        redis.server_time_ms(), state=states or None, task=task, since=since, until=until, parameters=values
    )
    records = newest_jobs(redis, wanted, limit)
    if as_json:
        print_json(records)
        return
    if not records:
        such = "no jobs" if wanted.by_time_only and since is until is None else "no such jobs"
        click.echo(f"{such} in {shown(redis.url)} (see OUTRIDER_BROKER_URL, OUTRIDER_PROJECT)", err=True)
        return
    rows = [(r.id, r.spec.task, state_text(r.state), _age(r), _note(r)) for r in records]
    print_table(("ID", "TASK", "STATE", "SUBMITTED", "NOTE"), rows)


def _values(words: tuple[str, ...]) -> dict[str, list[Any]]:
    """Return, for each `key=value`, what the value may mean: the text, or the JSON that it is."""
    values: dict[str, list[Any]] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals:
            raise click.BadParameter(f"{word!r} is not KEY=VALUE", param_hint="-p")
        values.setdefault(key, []).append(text)
        try:
            values[key].append(json.loads(text))
        except (ValueError, RecursionError):
            continue
    return values


def _note(record: JobRecord) -> str:
    if record.outcome and record.outcome.warnings and not record.outcome.error:
        return f"with warnings: {record.outcome.warnings[0]}".partition("\n")[0]
    if record.outcome:
        return record.outcome.error.partition("\n")[0]
    if record.wish is Wish.CANCEL:
        return "is to be cancelled"
    return str(record.progress or "").removeprefix("progress: ")


def _age(record: JobRecord) -> str:
    return ago_text(datetime.now(UTC) - record.queued_at)
