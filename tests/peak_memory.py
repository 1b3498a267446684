"""How much a process's resident memory grows at its peak, memory that it maps from files included."""

from pathlib import Path

_baseline = 0


def start() -> None:
    """Forget earlier peaks (`clear_refs` of proc(5))."""
    global _baseline  # noqa: PLW0603 - one process measures one thing
    Path("/proc/self/clear_refs").write_text("5")
    _baseline = _peak()


def grown() -> int:
    """Return the bytes since `start`."""
    return _peak() - _baseline


def _peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise LookupError("VmHWM")
