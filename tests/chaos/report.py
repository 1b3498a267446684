"""The table: what was injected, what came out."""

from audit import Findings
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

__all__ = ["Report"]


class Report(BaseModel):
    """One storm."""

    injected: dict[str, int]
    found: Findings
    processes_left: list[str]
    workers_that_did_not_end: int
    seconds: float

    @property
    def broken(self) -> list[str]:
        """What must not be, one line each."""
        return [*self.found.broken, *(f"process left: {words}" for words in self.processes_left)]

    def show(self, console: Console) -> None:
        """Print the table, and what must not be."""
        table = Table(title=f"{self.found.submitted} jobs in a storm")
        table.add_column("what")
        table.add_column("how many", justify="right")
        for name, count in self.injected.items():
            table.add_row(name, str(count))
        table.add_section()
        for name, value in self._came_out().items():
            table.add_row(name, value)
        console.print(table)
        for line in self.broken:
            console.print(line, style="red", highlight=False, soft_wrap=True)

    def _came_out(self) -> dict[str, str]:
        found = self.found
        return {
            "jobs by terminal state": _counts(found.states),
            "jobs by number of attempts": _counts(found.attempts),
            "jobs by number of starts": _counts(found.starts),
            "seconds from kill to running again, least / median / most": found.middle(),
            "wrong results, in memory / on disk": f"{len(found.wrong_results)} / {len(found.wrong_files)}",
            "jobs without exactly one terminal message": str(len(found.terminal_messages_not_one)),
            "ends that nobody wanted": str(len(found.unexpected_ends)),
            "starts without an attempt / after the end": (
                f"{len(found.starts_without_attempt)} / {len(found.starts_after_the_end)}"
            ),
            "open records": str(found.open_records),
            "workers that had to be killed in the end": str(self.workers_that_did_not_end),
            "processes left": str(len(self.processes_left)),
            "seconds in all": f"{self.seconds:.0f}",
        }


def _counts(counts: dict[str, int] | dict[int, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in counts.items())
