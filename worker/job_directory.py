"""Where an attempt keeps its files.

<jobs>/<job id>/
    parameters.json          what was submitted
    outcome.json             how the job ended
    outputs/                 the declared outputs of the attempt that succeeded
    attempt-1/
        stdout.log, stderr.log
        work/                the program's working directory
"""

import os
from collections.abc import Mapping
from pathlib import Path

from ..communicators import Claim, Outcome
from ..config.errors import CannotRun

__all__ = ["JobDirectory"]


class JobDirectory:
    """The folder of one attempt. Attempts share nothing but `outputs`, which only the newest claim may fill."""

    def __init__(self, jobs: Path, held: Claim) -> None:
        """Name the places; nothing is created yet."""
        self._held = held
        self.job = jobs / held.spec.id
        self.attempt = self.job / f"attempt-{held.attempt}"
        self.work = self.attempt / "work"
        self.stdout = self.attempt / "stdout.log"
        self.stderr = self.attempt / "stderr.log"

    def create(self, input_files: Mapping[str, str]) -> None:
        """Make the folders and write what the program needs.

        Raises:
            CannotRun: when the work root cannot be written.
        """
        try:
            self.work.mkdir(parents=True, exist_ok=True)
            (self.job / "parameters.json").write_text(self._held.spec.model_dump_json(indent=2))
            for name, text in input_files.items():
                (self.work / name).write_text(text)
        except OSError as error:
            raise CannotRun(
                "environment", f"cannot make the job directory: {error}; check OUTRIDER_WORK_ROOT"
            ) from error

    def staged(self, output: Path) -> Path:
        """Return where the program leaves a declared output."""
        return self.work / output

    def move_into_place(self, output: Path) -> Path:
        """Move a declared output out of the attempt, and return where it is now. For the holder of the newest claim."""
        place = self.job / "outputs" / output
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(self.staged(output), place)
        return place

    def keep_outcome(self, outcome: Outcome) -> None:
        """Write how the job ended, whole or not at all."""
        self.job.mkdir(parents=True, exist_ok=True)
        draft = self.attempt / "outcome.json.part" if self.attempt.is_dir() else self.job / "outcome.json.part"
        draft.write_text(outcome.model_dump_json(indent=2))
        os.replace(draft, self.job / "outcome.json")
