"""Count words on a worker.

In one terminal: `outrider up --tasks count_words`. In another: `python count_words.py`.
"""

from pathlib import Path
from typing import Annotated

import outrider


class CountWords(outrider.ThirdPartyTask):
    """Count the words of a text file (wc)."""

    executable = "wc"

    file: Annotated[Path, outrider.Positional()]

    def read_result(self, run: outrider.ProgramRun) -> int:
        """Return the second of wc's three numbers."""
        return int(run.stdout.split()[1])


if __name__ == "__main__":
    job = outrider.submit(CountWords(file=__file__))
    for message in job.watch():
        print(message)
    print(f"{job.result()} words")
