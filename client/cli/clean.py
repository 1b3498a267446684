"""The command that removes the directories of jobs that were closed long ago."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import click
from pydantic import TypeAdapter, ValidationError

from ...config import Duration, Settings, load_settings
from ...config.errors import ArtifactError
from ...worker import CleanUp
from ..default import default_client
from .output import json_option, print_json, print_table

__all__ = ["clean"]


def _duration(_context: click.Context, _parameter: click.Parameter, value: str | None) -> timedelta | None:
    if value is None:
        return None
    try:
        duration: timedelta = TypeAdapter(Duration).validate_python(value)
    except ValidationError as error:
        raise click.BadParameter(f"{value!r} is no duration; give one such as 12h or 30d") from error
    if duration < timedelta(0):
        raise click.BadParameter(f"{value!r} is in the future")
    return duration


@click.command()
@click.option(
    "--older-than",
    metavar="DURATION",
    callback=_duration,
    help="Of jobs closed so long ago, such as 30d; default: OUTRIDER_KEEP_DIRECTORIES.",
)
@click.option("--dry-run", is_flag=True, help="Only list them.")
@json_option
def clean(older_than: timedelta | None, dry_run: bool, as_json: bool) -> None:
    """Remove the directories and artefacts of closed jobs. What the ledger knows of them stays."""
    settings = load_settings()
    keep = settings.keep_directories if older_than is None else older_than
    if keep is None:
        raise click.UsageError("say which: --older-than 30d, say, or set OUTRIDER_KEEP_DIRECTORIES")
    rows = list(_cleaned(settings, keep, dry_run=dry_run))
    if as_json:
        print_json([{"id": job_id, "ended_at": ended_at, "end": end} for job_id, ended_at, end in rows])
    elif rows:
        print_table(("ID", "ENDED", ""), rows)
    else:
        click.echo(f"nothing in {settings.jobs_directory} is that old", err=True)


def _cleaned(settings: Settings, keep: timedelta, *, dry_run: bool) -> Iterator[tuple[str, str, str]]:
    """Clean up, and yield the id, the time and what became of each directory."""
    client = default_client()
    clean_up = CleanUp(settings.jobs_directory, client.store, client.redis, keep, settings.retention)
    for batch in clean_up.expired():
        for expired in batch:
            ended_at = datetime.fromtimestamp(expired.ended_at, UTC).isoformat(sep=" ", timespec="seconds")
            try:
                end = "would be removed" if dry_run else "removed" if clean_up.remove(expired) else "gone already"
            except (OSError, ArtifactError) as error:
                end = f"not removed: {error}"
            yield expired.job_id, ended_at, end
