"""Where an attempt keeps its files.

<jobs>/<job id>/
    parameters.json          what was submitted
    record.json              all that is known about the job, once it is closed
    outputs/                 the declared outputs of the attempt that succeeded
    partial/                 what there was of them, of a job that did not succeed
    artifacts/               parts of the result that are no JSON or too large for the ledger
    attempt-1/
        record.json          how the attempt ended
        stdout.log, stderr.log
        work/                the program's working directory
"""

import os
from collections.abc import Mapping
from pathlib import Path

from ..communicators import RECORD_FILE, Claim, JobRecord, write_record
from ..config.errors import CannotRun

__all__ = ["JobDirectory"]


class JobDirectory:
    """The folder of one attempt. Attempts share nothing but `outputs`, which only the newest claim may fill."""

    def __init__(self, jobs: Path, held: Claim) -> None:
        """Name the places; nothing is created yet."""
        self._held = held
        self.job = jobs / held.spec.id
        #: The job's folder in the artefact store, which is here unless the settings name another.
        self.artifacts = f"{held.spec.id}/artifacts"
        #: Where outputs go that nobody vouches for; only the newest claim may fill it.
        self.partial = self.job / "partial"
        self.attempt = self.job / f"attempt-{held.attempt}"
        self.work = self.attempt / "work"
        #: Where a first-party task puts copies of what is to be kept, until it is.
        self.copies = self.attempt / "artifacts"
        self.stdout = self.attempt / "stdout.log"
        self.stderr = self.attempt / "stderr.log"
        self._moved: dict[Path, Path] = {}

    def create(self, input_files: Mapping[str, str]) -> None:
        """Make the folders and write what the program needs.

        Raises:
            CannotRun: when the work root cannot be written.
        """
        try:
            self.work.mkdir(parents=True, exist_ok=True)
            (self.job / "parameters.json").write_text(self._held.spec.model_dump_json(indent=2))
            for name, text in input_files.items():
                self._inside(name).parent.mkdir(parents=True, exist_ok=True)
                self._inside(name).write_text(text)
        except OSError as error:
            raise CannotRun(
                "environment", f"cannot make the job directory: {error}; check OUTRIDER_WORK_ROOT"
            ) from error

    def staged(self, output: Path) -> Path | None:
        """Return the file that the program left as a declared output, `None` if there is none.

        A link is followed, as long as it stays in the working directory.

        Raises:
            ValueError: when it leads out.
        """
        place = self.work / output
        if not place.is_file():
            return None
        real = place.resolve()
        if not real.is_relative_to(self.work.resolve()):
            raise ValueError(f"{output} is a link that leads out of the job directory")
        return real

    def move_into_place(self, staged: Path, output: Path) -> Path:
        """Move a declared output out of the attempt, and return where it is now. For the holder of the newest claim.

        What was moved before under another name gets this name as well.
        """
        place = self.job / "outputs" / output
        place.parent.mkdir(parents=True, exist_ok=True)
        if (before := self._moved.get(staged)) is None:
            os.replace(staged, place)
            self._moved[staged] = place
        elif before != place:
            place.unlink(missing_ok=True)
            os.link(before, place)
        return place

    def keep_record(self, record: JobRecord) -> None:
        """Write how the attempt ended, so that it is on disk whatever becomes of the ledger."""
        write_record(self.attempt, record)

    def publish_record(self) -> None:
        """Make the attempt's end the job's. For the one who has closed the job."""
        draft = self.job / f"{RECORD_FILE}.part"
        draft.unlink(missing_ok=True)
        os.link(self.attempt / RECORD_FILE, draft)
        os.replace(draft, self.job / RECORD_FILE)

    def _inside(self, name: str) -> Path:
        path = Path(os.path.normpath(self.work / name))
        if not path.is_relative_to(self.work):
            raise CannotRun("validation", f"the input file {name!r} would lie outside of the job directory")
        return path
