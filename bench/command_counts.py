"""Which commands Redis carries out, by name: how many in all, and how many of them inside Lua scripts.

`INFO commandstats` counts what scripts call like what clients send; MONITOR tells the two apart.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import redis
from pydantic import BaseModel

__all__ = ["CommandCounts", "count_commands"]

#: What this module itself sends.
_OWN = frozenset({"echo", "info", "config|resetstat", "config", "monitor"})
_LISTEN_SECONDS = 10.0
_BEGIN, _END = "bench-begin", "bench-end"


class CommandCounts(BaseModel):
    """Commands per job, or per message, by name; `scripted` are those of `total` that scripts called."""

    total: dict[str, float]
    scripted: dict[str, float]

    @property
    def all(self) -> float:
        """All commands."""
        return sum(self.total.values())

    @property
    def sent(self) -> float:
        """Commands that clients sent."""
        return sum(self.sent_by_name.values())

    @property
    def sent_by_name(self) -> dict[str, float]:
        """What clients sent, by name."""
        return {name: count - self.scripted.get(name, 0.0) for name, count in self.total.items()}


def count_commands(
    server: redis.Redis, jobs: int, work: Callable[[], object], idle: Callable[[], object]
) -> CommandCounts:
    """Count what `work` costs per job, less what the same length of `idle` costs: polls and heartbeats."""
    busy, busy_scripted = _counted(server, work)
    rest, rest_scripted = _counted(server, idle)
    return CommandCounts(total=_per_job(busy - rest, jobs), scripted=_per_job(busy_scripted - rest_scripted, jobs))


def _counted(server: redis.Redis, work: Callable[[], object]) -> tuple[Counter[str], Counter[str]]:
    scripted: Counter[str] = Counter()
    with server.monitor() as monitor:  # type: ignore[no-untyped-call]  # redis-py leaves it so
        listener = threading.Thread(target=_count_scripted, args=(monitor.listen(), scripted), daemon=True)
        listener.start()
        server.config_resetstat()
        server.echo(_BEGIN)
        work()
        server.echo(_END)
        statistics: dict[str, dict[str, Any]] = server.info("commandstats")
        listener.join(_LISTEN_SECONDS)
        if listener.is_alive():
            raise TimeoutError(f"MONITOR has not shown our mark {_END!r} within {_LISTEN_SECONDS:g} s")
    calls = {name.removeprefix("cmdstat_").lower(): entry["calls"] for name, entry in statistics.items()}
    return Counter({name: count for name, count in calls.items() if name not in _OWN}), scripted


def _count_scripted(seen: Iterable[dict[str, Any]], scripted: Counter[str]) -> None:
    """Count what scripts call between the two marks."""
    begun = False
    for entry in seen:
        command = entry["command"]
        if command.endswith(_END):
            return
        begun = begun or command.endswith(_BEGIN)
        if begun and entry["client_type"] == "lua":
            scripted[command.split(" ", 1)[0].lower()] += 1


def _per_job(counts: Counter[str], jobs: int) -> dict[str, float]:
    return {name: count / jobs for name, count in counts.most_common() if count > 0}
