"""Outrider beside plain Celery: `python bench/run.py [--quick] [--json FILE] [--place DIRECTORY] [--strict] [ROW ...]`.

Every row is measured anew for both sides, in turn, on one private Redis with the same pool and the same concurrency; so
a slow machine makes slow numbers, but hardly other ratios.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from command_rows import redis_commands
from flood_row import flood
from import_row import import_time
from lab import Lab, open_lab
from memory_row import memory
from pipe_row import pipe
from processes import ProcessorMeter
from relay_row import relay
from rich.console import Console
from socket_row import large_object
from speed import jobs_per_second, latency, submit_rate
from strategy_row import strategies
from table import Report, Row
from tasklet_row import tasklets

_ROWS: dict[str, Callable[[Lab], list[Row]]] = {
    "jobs": jobs_per_second,
    "latency": latency,
    "submit": submit_rate,
    "memory": memory,
    "flood": flood,
    "pipe": pipe,
    "relay": relay,
    "import": import_time,
    "commands": redis_commands,
    "socket": large_object,
    "tasklets": tasklets,
    "strategies": strategies,
}
#: What others may take of the processors; beyond it, times say little.
_QUIET = 0.05
_NOTES = """
Both sides: threads pool, JSON, task events on (operators watch both in Flower), results in the same Redis, which keeps
nothing on disk. One worker at a time, fresh for each round; a fresh producer process; rounds in the order A B B A,
medians of the rounds' ratios. The clock stops when the producer holds the result itself.
Plain Celery: defaults otherwise (it prefetches; it keeps no record, log, directory or hash). Its task captures nothing
of /bin/true and all of the 200 MB; for submit_many it uses kombu's batch; its import is `from celery import Celery`.
The socket's row has nothing of Celery's beside it: Celery takes no objects of a running task.
In the rows of `tasklets`, a plain call of the same function in the same process stands in the column of plain Celery.
In the rows of `strategies`, what Python has for the same stands in the column of plain Celery: a task on the loop behind
a semaphore, `submit` of a pool of as many, and for /bin/true `create_subprocess_exec`, or `subprocess.run` in a pool: none
keeps a record, a log or a directory. Beside the strategy `celery` stands our `submit_many`, on a worker of the same kind.
In the rows of `relay`, its task hands each line to `update_state`, and the producer takes it by `get(on_message=…)`: none
is lost while the producer listens, none is kept for those who come later, and the program waits for each.
The rows of `pipe` run no worker: beside the draining alone stands what they name, in the column of plain Celery.
Commands: INFO commandstats, less an idle time of the same length, or for each message less what a job without them takes;
those in scripts are told apart by MONITOR.
""".strip()


def main() -> int:
    """Measure the rows that were asked for, and print them; 1 when an aim is missed and that matters."""
    wanted = _arguments()
    console = Console(width=None if sys.stdout.isatty() else 140)
    begun, meter = time.monotonic(), ProcessorMeter()
    rows: list[Row] = []
    with open_lab(wanted.place, quick=wanted.quick) as lab:
        for name in wanted.rows or _ROWS:
            print(f"measuring {name} …", file=sys.stderr)
            rows += _ROWS[name](lab)
    report = Report(rows=rows, notes=[_NOTES, _machine(lab, time.monotonic() - begun, meter.others_share())])
    report.show(console)
    if wanted.json:
        wanted.json.write_text(report.model_dump_json(indent=2))
    return int(wanted.strict and any(row.met is False for row in rows))


def _machine(lab: Lab, seconds: float, others: float) -> str:
    facts = f"{os.cpu_count()} processors; files in {lab.folder.parent}; {seconds:.0f} s in all; "
    facts += f"others took {others:.0%} of the processors meanwhile."
    return facts if others < _QUIET else f"{facts} That is too much: measure again on a quiet machine."


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer jobs and rounds, within a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows as JSON")
    parser.add_argument(
        "--place", type=Path, metavar="DIRECTORY", help="where files go; default: in memory, else TMPDIR"
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 when an aim is missed")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"some of {', '.join(_ROWS)}; default: all")
    wanted = parser.parse_args()
    if unknown := set(wanted.rows) - set(_ROWS):
        parser.error(f"no row is called {', '.join(sorted(unknown))}; there are {', '.join(_ROWS)}")
    return wanted


if __name__ == "__main__":
    sys.exit(main())
