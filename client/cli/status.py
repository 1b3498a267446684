"""The command that shows how things stand: jobs, queues, workers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import click
from rich.text import Text

from ...communicators import JobState
from ...config import load_settings, shown
from ..cluster_detail import cluster_detail
from ..default import default_client
from ..system_detail import QueueDetail, StrategyDetail, SystemDetail, WorkerDetail
from .output import ago_text, json_option, print_heading, print_json, print_table, state_text

__all__ = ["status"]

Row = tuple[str | Text, ...]


@click.command()
@json_option
def status(as_json: bool) -> None:
    """Show how many jobs there are in each state, what waits in which queue, and which workers live."""
    redis = default_client().redis
    cluster = cluster_detail(redis, load_settings())
    if as_json:
        print_json(SystemDetail(at=datetime.now(UTC), strategies=(cluster,)))
        return
    if not cluster.workers and not any(cluster.jobs.of(state) for state in JobState):
        click.echo(f"no jobs and no workers in {shown(redis.url)} (see OUTRIDER_BROKER_URL, OUTRIDER_PROJECT)")
        return
    _section("jobs", ("STATE", "JOBS"), _job_rows(cluster), "no jobs")
    click.echo()
    _section("queues", ("QUEUE", "QUEUED", "LIMIT", "WORKERS"), _queue_rows(cluster), "no queues")
    click.echo()
    columns = ("WORKER", "HEARD", "JOBS", "QUEUES", "HOST", "PID", "OUTRIDER", "PYTHON")
    nobody = "no workers: queued jobs wait until one is started (`outrider worker`)"
    _section("workers", columns, [_worker_row(worker) for worker in cluster.workers], nobody)


def _section(heading: str, columns: Sequence[str], rows: Sequence[Row], without: str) -> None:
    """Print a table under its heading, or in place of an empty one a sentence."""
    print_heading(heading)
    if rows:
        print_table(columns, rows)
    else:
        click.echo(without)


def _job_rows(strategy: StrategyDetail) -> list[Row]:
    return [(state_text(state), str(count)) for state in JobState if (count := strategy.jobs.of(state))]


def _queue_rows(strategy: StrategyDetail) -> list[Row]:
    return [
        (queue.name, str(queue.queued), f"{queue.limit} in all" if queue.limit else "none", _takers(strategy, queue))
        for queue in strategy.queues
    ]


def _takers(strategy: StrategyDetail, queue: QueueDetail) -> Text:
    """Return how many workers take from a queue; a queue in which jobs wait for nobody is a fault."""
    count = sum(queue.name in worker.queues for worker in strategy.workers if not worker.silent)
    return Text(str(count), style="" if count or not queue.queued else "red")


def _worker_row(worker: WorkerDetail) -> Row:
    heard = ago_text(timedelta(seconds=worker.heartbeat_age_seconds))
    return (
        worker.name,
        Text(f"silent, {heard}", style="red") if worker.silent else heard,
        f"{worker.running} of {worker.slots}",
        ", ".join(worker.queues),
        worker.host,
        str(worker.pid),
        worker.version,
        worker.python_version,
    )
