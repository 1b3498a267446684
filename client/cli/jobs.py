"""Commands about jobs: look, follow."""

from datetime import UTC, datetime
from typing import Any

import click
from rich.text import Text

from ...communicators import JobRecord, JobState, Wish, described
from ...config import shown
from ..default import default_client
from .following import exit_with, follow, leaving
from .output import as_json as to_json
from .output import json_option, print_fields, print_json, print_table, state_text

#: Items of a list that `show` prints one by one.
_LIST_SHOWN = 5

__all__ = ["jobs", "logs", "result", "show", "watch"]


@click.command()
@click.option("-n", "--limit", default=20, show_default=True, help="How many of the newest jobs.")
@json_option
def jobs(limit: int, as_json: bool) -> None:
    """List the newest jobs."""
    records = default_client().jobs(limit)
    if as_json:
        print_json(records)
        return
    if not records:
        click.echo(
            f"no jobs in {shown(default_client().redis.url)} (see OUTRIDER_BROKER_URL, OUTRIDER_PROJECT)", err=True
        )
        return
    rows = [(r.id, r.spec.task, state_text(r.state), _age(r.queued_at), _note(r)) for r in records]
    print_table(("ID", "TASK", "STATE", "SUBMITTED", ""), rows)


@click.command()
@click.argument("job_id")
@json_option
def show(job_id: str, as_json: bool) -> None:
    """Show all that is known about a job."""
    record = default_client().job(job_id).record()
    if as_json:
        print_json(record)
        return
    run, outcome = record.run, record.outcome
    times = [(name, getattr(record, name)) for name in ("queued_at", "claimed_at", "started_at", "ended_at")]
    rows: list[tuple[str, str | Text]] = [
        ("job", record.id),
        ("task", f"{record.spec.task} (version {record.spec.version or 'unknown'})"),
        ("state", state_text(record.state)),
        ("progress", str(record.progress or "").removeprefix("progress: ")),
        ("attempt", str(record.attempt or "")),
        ("worker", f"{record.worker}, pid {run.pid}" if run else record.worker),
        *(
            (name.removesuffix("_at"), moment.isoformat(sep=" ", timespec="milliseconds"))
            for name, moment in times
            if moment
        ),
        *((f"  {name}", _value(value)) for name, value in record.spec.parameters.items()),
    ]
    if run:
        rows += [("command", _shortened(run.command)), ("directory", str(run.directory))]
    if record.provenance:
        rows.append(("program", record.provenance.program_version))
    if outcome and outcome.exit:
        rows.append(
            ("used", f"{outcome.exit.elapsed_seconds:.2f} s, {outcome.exit.cpu_seconds:.2f} CPU s{_peak(record)}")
        )
    kept = default_client().job(job_id).artifacts()
    rows += [(f"artefact {name}", f"{file.reference.size} bytes (`outrider artifacts`)") for name, file in kept.items()]
    if outcome:
        rows += [
            (f"output {name}", f"{o.path} ({o.size} bytes, sha256 {o.sha256[:12]}…)")
            for name, o in outcome.outputs.items()
        ]
        rows += [("reason", str(outcome.reason or "")), ("error", outcome.message if outcome.error else "")]
        rows.append(
            ("result", _shortened(repr(described(outcome.result))) if record.state is JobState.SUCCEEDED else "")
        )
    print_fields(rows)


@click.command()
@click.argument("job_id")
@json_option
def watch(job_id: str, as_json: bool) -> None:
    """Follow a job from its first message to its end; leave with 0 only if it succeeds."""
    follow(default_client().job(job_id), as_json=as_json)


@click.command()
@click.argument("job_id")
@click.option("-f", "--follow", "following", is_flag=True, help="Go on until the job ends.")
@json_option
def logs(job_id: str, following: bool, as_json: bool) -> None:
    """Print the program's newest lines; standard error goes to standard error."""
    for message in default_client().job(job_id).logs(follow=following):
        if as_json:
            click.echo(message.model_dump_json())
            continue
        if message.dropped:
            click.echo(f"({message.dropped} lines left out; all are in the job's directory)", err=True)
        for line in message.lines:
            click.echo(line, err=message.stream == "stderr")


@click.command()
@click.argument("job_id")
@click.option("--timeout", type=float, help="Seconds to wait for the job's end.")
def result(job_id: str, timeout: float | None) -> None:
    """Wait for a job's end, and print its result as JSON; leave with 0 only if it succeeded.

    In place of what is no JSON or large, such as an array, a line says what it is and where.
    """
    with leaving(job_id):
        outcome = default_client().job(job_id).wait(timeout)
    if outcome.state is JobState.SUCCEEDED:
        print_json(to_json(described(outcome.result)))
    else:
        reason = f" ({outcome.reason})" if outcome.reason else ""
        click.echo(f"{outcome.state}{reason}: {outcome.message}", err=True)
    exit_with(outcome)


def _value(value: Any) -> str:
    """Return a parameter for people; of a long list, its ends."""
    if isinstance(value, list) and len(value) > _LIST_SHOWN:
        return f"{len(value)} values: {value[0]!r} … {value[-1]!r}"
    return repr(value)


def _note(record: JobRecord) -> str:
    if record.outcome:
        return record.outcome.error.partition("\n")[0]
    if record.wish is Wish.CANCEL:
        return "is to be cancelled"
    return str(record.progress or "").removeprefix("progress: ")


def _peak(record: JobRecord) -> str:
    ended = record.outcome.exit if record.outcome else None
    return f", peak {ended.peak_rss / 2**20:.0f} MiB" if ended and ended.peak_rss else ""


def _age(moment: datetime) -> str:
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{max(seconds, 0):.0f} s ago"


def _shortened(text: str, width: int = 500) -> str:
    return text if len(text) <= width else f"{text[:width]} … ({len(text)} characters; `outrider result` prints all)"
