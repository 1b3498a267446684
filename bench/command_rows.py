"""The rows about Redis commands per job and per message: hardly any noise, so every one more is seen."""

import statistics

from command_counts import CommandCounts
from lab import Lab, Side
from speed import SLOTS
from table import Aim, Row

__all__ = ["redis_commands"]

#: The messages that are counted.
_LINE, _VALUE = "line of a slow program", "value reported by Python code"
#: Rarer than this per job is what a process does once, such as greeting the server.
_RARE = 0.05


def redis_commands(lab: Lab) -> list[Row]:
    """Count all that producer and worker ask from submission to result, less what an idle worker asks.

    Of messages, what each of them costs more.
    """
    jobs = lab.scaled(300, 100)
    ((ours, plain),) = lab.rounds(lambda side: _counts(lab, side, "commands", jobs), 1)
    return [
        _row("Redis commands per job, those in scripts included", ours.all, plain.all, Aim.at_most(12)),
        _row("Redis commands per job that clients sent", ours.sent, plain.sent),
        *_rows_by_command("sent", ours.sent_by_name, plain.sent_by_name),
        *_rows_by_command("in scripts", ours.scripted, plain.scripted),
        *_rows_of_messages(lab, _LINE, "line-commands", lab.scaled(300, 30), 1),
        *_rows_of_messages(lab, _VALUE, "report-commands", lab.scaled(1000, 200), lab.scaled(5, 1)),
    ]


def _rows_of_messages(lab: Lab, what: str, question: str, messages: int, count: int) -> list[Row]:
    """Take the median of some rounds: how many messages go together depends on who else uses the machine."""
    rounds = lab.rounds(lambda side: _counts(lab, side, question, messages), count)
    every = [statistics.median(counts.all for counts in side) for side in zip(*rounds, strict=True)]
    sent = [statistics.median(counts.sent for counts in side) for side in zip(*rounds, strict=True)]
    return [_row(f"Redis commands per {what}", *every), _row("  that clients sent", *sent)]


def _counts(lab: Lab, side: Side, question: str, count: int) -> CommandCounts:
    with lab.worker(side, SLOTS):
        return CommandCounts.model_validate_json(lab.ask(side, question, count))


def _rows_by_command(where: str, ours: dict[str, float], plain: dict[str, float]) -> list[Row]:
    names = sorted({*ours, *plain}, key=lambda name: (-ours.get(name, 0), name))
    return [
        _row(f"  {name.upper()} {where}", our, other)
        for name in names
        if max(our := ours.get(name, 0.0), other := plain.get(name, 0.0)) >= _RARE
    ]


def _row(name: str, ours: float, plain: float, aim: Aim | None = None) -> Row:
    return Row(name=name, unit="", ours=ours, plain=plain, compared=ours - plain, compared_as="above plain", aim=aim)
