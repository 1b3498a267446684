"""The rows about Redis commands per job: free of noise, so every one more is seen."""

from command_counts import CommandCounts
from lab import Lab, Side
from speed import SLOTS
from table import Aim, Row

__all__ = ["redis_commands"]

#: Rarer than this per job is what a process does once, such as greeting the server.
_RARE = 0.05


def redis_commands(lab: Lab) -> list[Row]:
    """Count all that producer and worker ask from submission to result, less what an idle worker asks."""
    jobs = lab.scaled(300, 100)
    ((ours, plain),) = lab.rounds(lambda side: _counts(lab, side, jobs), 1)
    return [
        _row("Redis commands per job, those in scripts included", ours.all, plain.all, Aim.at_most(12)),
        _row("Redis commands per job that clients sent", ours.sent, plain.sent),
        *_rows_by_command("sent", ours.sent_by_name, plain.sent_by_name),
        *_rows_by_command("in scripts", ours.scripted, plain.scripted),
    ]


def _counts(lab: Lab, side: Side, jobs: int) -> CommandCounts:
    with lab.worker(side, SLOTS):
        return CommandCounts.model_validate_json(lab.ask(side, "commands", jobs))


def _rows_by_command(where: str, ours: dict[str, float], plain: dict[str, float]) -> list[Row]:
    names = sorted({*ours, *plain}, key=lambda name: (-ours.get(name, 0), name))
    return [
        _row(f"  {name.upper()} {where}", our, other)
        for name in names
        if max(our := ours.get(name, 0.0), other := plain.get(name, 0.0)) >= _RARE
    ]


def _row(name: str, ours: float, plain: float, aim: Aim | None = None) -> Row:
    return Row(name=name, unit="", ours=ours, plain=plain, compared=ours - plain, compared_as="above plain", aim=aim)
