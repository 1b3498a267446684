"""The rows about lines on their way from a program's print to whoever watches its job."""

import contextlib
import statistics

import psutil
from bench_tasks import TALK_PROGRAM
from lab import Lab, Side
from processes import kill, poll
from producer import CHATTER_PERIOD, LINE_PERIOD
from speed import percentile
from table import Aim, Row, ratio_row

__all__ = ["relay"]

_CHATTY = 20
_START_SECONDS = 60.0


def relay(lab: Lab) -> list[Row]:
    """Time lines from the program's print to the producer, on an idle worker and beside chatty jobs, and a flood of them.

    The programs print their clock, which is the producer's as well.
    """
    name = f"a line each {LINE_PERIOD} ms, print to watcher"
    crowd = f"  the same beside {_CHATTY} jobs of {1000 // CHATTER_PERIOD} lines/s"
    return [*_latency(lab, name, 0, Aim.at_most(100, "ms")), *_latency(lab, crowd, _CHATTY, None), *_torrent(lab)]


def _latency(lab: Lab, name: str, chatty: int, slowest: Aim | None) -> list[Row]:
    rounds = lab.rounds(lambda side: _seconds(lab, side, chatty), lab.scaled(3, 1))
    rows = []
    for percent, aim in ((50, None), (99, slowest)):
        pick = percentile(percent)
        ours, plain = (statistics.median(map(pick, side)) for side in zip(*rounds, strict=True))
        words = f"{name}, p{percent}"
        rows.append(Row(name=words, unit="ms", ours=ours, plain=plain, compared=ours, compared_as="ms", aim=aim))
    return rows


def _seconds(lab: Lab, side: Side, chatty: int) -> list[float]:
    with lab.worker(side, chatty + 1) as worker:
        try:
            if chatty:
                lab.seconds(side, "chatter", chatty)
                poll(lambda: len(_talkers(worker)) == chatty, _START_SECONDS, f"{chatty} programs talk")
            return lab.seconds(side, "listen", lab.scaled(300, 100))
        finally:
            kill(_talkers(worker))


def _torrent(lab: Lab) -> list[Row]:
    lines = lab.scaled(100_000, 10_000)

    def measure(side: Side) -> tuple[float, float]:
        with lab.worker(side, 1):
            seconds, arrived = lab.seconds(side, "torrent", lines)
        return seconds, arrived

    rounds = lab.rounds(measure, lab.scaled(3, 1))
    times, arrived = ([(ours[i], plain[i]) for ours, plain in rounds] for i in range(2))
    name = f"{lines:,} lines as fast as they are taken"
    return [
        ratio_row(f"{name}, submit to end", "s", times),
        ratio_row("  of them relayed to the watcher", "lines", arrived),
    ]


def _talkers(worker: psutil.Process) -> list[psutil.Process]:
    return [process for process in worker.children(recursive=True) if _is_talker(process)]


def _is_talker(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
        return TALK_PROGRAM in process.cmdline()
    return False
