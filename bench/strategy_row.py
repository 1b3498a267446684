"""The rows about what a coordinator's strategies cost per job, beside what Python has for the same without them."""

import subprocess
import sys
from pathlib import Path

from ask_strategy import Costs
from lab import Lab, Side
from producer import TIMEOUT_SECONDS
from speed import SLOTS, percentile
from table import Row, ratio_row

__all__ = ["strategies"]

_ASK = Path(__file__).with_name("ask_strategy.py")
#: Each strategy, with what stands beside it.
_LOCAL = {"asyncio": "create_task", "thread": "ThreadPoolExecutor", "process": "ProcessPoolExecutor"}
_MICROSECONDS = 1e6


def strategies(lab: Lab) -> list[Row]:
    """Time functions and programs that do nothing, many at once and one after the other."""
    rows = [row for strategy in _LOCAL for work in ("function", "program") for row in _local(lab, strategy, work)]
    return [*rows, _celery(lab)]


def _local(lab: Lab, strategy: str, work: str) -> list[Row]:
    count = lab.scaled(300, 100) if work == "function" else lab.scaled(100, 30)
    rounds = lab.rounds(lambda side: _ask(lab, side, strategy, work, count), lab.scaled(6, 2))
    each = [(ours.each * _MICROSECONDS, plain.each * _MICROSECONDS) for ours, plain in rounds]
    median = percentile(50)
    alone = [(1000 * median(ours.alone), 1000 * median(plain.alone)) for ours, plain in rounds]
    what = "a function" if work == "function" else "/bin/true"
    return [
        ratio_row(f"{strategy}: {what}, {count} at once, each; beside {_LOCAL[strategy]}", "µs", each),
        ratio_row(f"{strategy}: {what} by itself, submit to result, p50", "µs", alone),
    ]


def _celery(lab: Lab) -> Row:
    """Compare the strategy with `submit_many`: the same cluster carries out both."""
    count = lab.scaled(300, 100)

    def each(side: Side) -> float:
        with lab.worker(Side.OURS, SLOTS):
            if side is Side.OURS:
                return _MICROSECONDS * _ask(lab, side, "celery", "program", count).each
            return _MICROSECONDS * lab.seconds(Side.OURS, "jobs", count)[0] / count

    name = f"celery: /bin/true, {count} at once, each; beside submit_many"
    return ratio_row(name, "µs", lab.rounds(each, lab.scaled(4, 1)))


def _ask(lab: Lab, side: Side, strategy: str, work: str, count: int) -> Costs:
    words = [sys.executable, str(_ASK), side, strategy, work, str(count)]
    done = subprocess.run(
        words, env=lab.environment, cwd=lab.folder, stdout=subprocess.PIPE, check=True, timeout=TIMEOUT_SECONDS
    )
    return Costs.model_validate_json(done.stdout)
