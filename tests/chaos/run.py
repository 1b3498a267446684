"""Jobs in a storm: `python tests/chaos/run.py [--jobs N] [--pool POOL] [--seed N] [--json FILE] [--keep]`.

Two producers, three workers; workers are killed and stopped, Redis is killed and restarted, connections are cut,
messages come twice. In the end every job must have exactly one end, the right one, and no process may be left.
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from audit import audit, processes_left
from fleet import Fleet
from journal import Entry
from lab import Lab, poll
from report import Report
from rich.console import Console
from storm import Storm

_PRODUCERS = 2
_WORKERS = 3
_SECONDS_PER_JOB = 0.25
_SHORTEST_SECONDS = 20.0
_START_SECONDS = 30.0
#: How long all that was started may take to be gone after the last worker.
_GONE_SECONDS = 10.0
#: Producers give up before that.
_PRODUCER_SECONDS = 45.0


def main() -> int:
    """Let the storm rage, and print what came of it; 1 when a promise was broken."""
    wanted = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("asked to stop"))  # all that was started is ended first
    folder = Path(tempfile.mkdtemp(prefix="or-chaos-", dir="/tmp"))
    lab = Lab(folder)
    try:
        report = _rage(lab, wanted)
    finally:
        lab.kill_redis()
        _kill(processes_left(lab))
    console = Console(width=None if sys.stdout.isatty() else 140)
    report.show(console)
    if wanted.json:
        wanted.json.write_text(report.model_dump_json(indent=2))
    if wanted.keep or report.broken:
        console.print(f"logs and job directories are in {folder}", highlight=False, soft_wrap=True)
    else:
        shutil.rmtree(folder)
    return int(bool(report.broken))


def _rage(lab: Lab, wanted: argparse.Namespace) -> Report:
    begun = time.monotonic()
    seconds = max(wanted.jobs * _SECONDS_PER_JOB, _SHORTEST_SECONDS)
    lab.start_redis()
    fleet = Fleet(lab, _WORKERS, wanted.pool)
    storm = Storm(lab, fleet, seconds, wanted.seed)
    try:
        fleet.tend()
        poll(lambda: len(fleet.at_work) == _WORKERS, _START_SECONDS, "the workers are ready")
        producers = [_start_producer(lab, number, wanted.jobs, seconds) for number in range(_PRODUCERS)]
        storm.run()
        poll(lambda: _ended(fleet, producers), _PRODUCER_SECONDS, "the producers have ended")
        entries = [entry for number in range(_PRODUCERS) for entry in _journal(lab, number)]
        found = audit(lab, entries, storm.injected)
    finally:
        deaf = fleet.stop()
    with contextlib.suppress(TimeoutError):
        poll(lambda: not processes_left(lab), _GONE_SECONDS, "nothing is left")
    return Report(
        injected=_injected(storm, fleet, entries),
        found=found,
        processes_left=[f"{pid}: {command}" for pid, command in processes_left(lab).items()],
        workers_that_did_not_end=deaf,
        seconds=time.monotonic() - begun,
    )


def _start_producer(lab: Lab, number: int, jobs: int, seconds: float) -> "subprocess.Popen[bytes]":
    share = jobs // _PRODUCERS + (number < jobs % _PRODUCERS)
    words = [f"p{number}", str(share), str(seconds), str(lab.folder / f"p{number}.journal")]
    program = str(Path(__file__).with_name("producer.py"))
    return lab.spawn([sys.executable, program, *words], lab.folder / f"p{number}.log")


def _ended(fleet: Fleet, producers: list["subprocess.Popen[bytes]"]) -> bool:
    fleet.tend()
    return all(producer.poll() is not None for producer in producers)


def _journal(lab: Lab, number: int) -> list[Entry]:
    journal = lab.folder / f"p{number}.journal"
    if not journal.exists():
        raise SystemExit(f"a producer did not live:\n{(lab.folder / f'p{number}.log').read_text()}")
    return [Entry.model_validate_json(line) for line in journal.read_text().splitlines()]


def _injected(storm: Storm, fleet: Fleet, entries: list[Entry]) -> dict[str, int]:
    return {
        **storm.injected.counts,
        "jobs cancelled by their producer": sum(entry.cancelled for entry in entries),
        "submissions that failed and were made again": sum(entry.failed_submits for entry in entries),
        "workers started": fleet.started,
    }


def _kill(processes: dict[int, str]) -> None:
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=60, metavar="N")
    parser.add_argument("--pool", choices=["threads", "prefork"], default="threads")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of what happens when")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write what was found as JSON")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and job directories")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
