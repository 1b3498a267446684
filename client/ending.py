"""How a job ended, in a few lines for whoever watched it."""

from ..communicators import JobState, Outcome

__all__ = ["ending_lines", "used_text"]


def ending_lines(outcome: Outcome) -> list[str]:
    """Return what a job has left, what it used, and what did not go as it should."""
    lines = [f"{name}: {file.path} ({file.size} bytes)" for name, file in outcome.outputs.items()]
    if outcome.state is JobState.SUCCEEDED and (used := used_text(outcome)):
        lines.append(f"used {used}")
    return lines + [f"warning: {warning}" for warning in outcome.warnings]


def used_text(outcome: Outcome) -> str:
    """Return what the program used of time and memory; nothing if it did not run."""
    if (ended := outcome.exit) is None:
        return ""
    peak = f", peak {ended.peak_rss / 2**20:.0f} MiB" if ended.peak_rss else ""
    return f"{ended.elapsed_seconds:.2f} s, {ended.cpu_seconds:.2f} CPU s{peak}"
