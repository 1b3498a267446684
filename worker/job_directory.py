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
        parameters.json      those of the program, where tasklets have changed them
        tasklets/            files that show what tasklets have returned
        work/                the program's working directory, unless the task names another
            outputs/         declared outputs that are to go elsewhere, until they are moved
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from ..communicators import RECORD_FILE, Claim, JobRecord
from ..config.errors import CannotRun
from .placing import link_file, make_symlink, move_file, opened_folder, write_file
from .roots import output_goal

__all__ = ["PARAMETERS_FILE", "JobDirectory"]

#: Its name, in the job's directory.
PARAMETERS_FILE = "parameters.json"


class JobDirectory:
    """The folder of one attempt. Attempts share nothing but `outputs`, which only the newest claim may fill."""

    def __init__(self, jobs: Path, held: Claim, output_roots: tuple[Path, ...] = ()) -> None:
        """Name the places, and the folders where outputs may go beside them; nothing is created yet."""
        self._held = held
        self._jobs = jobs
        self._output_roots = output_roots
        self.job = jobs / held.spec.id
        #: The job's folder in the artefact store, which is here unless the settings name another.
        self.artifacts = f"{held.spec.id}/artifacts"
        #: Where outputs go that nobody vouches for; only the newest claim may fill it.
        self.partial = self.job / "partial"
        self.attempt = self.job / f"attempt-{held.attempt}"
        self.work = self.attempt / "work"
        #: Where a first-party task puts copies of what is to be kept, until it is.
        self.copies = self.attempt / "artifacts"
        #: Where files go that show what tasklets have returned.
        self.tasklets = self.attempt / "tasklets"
        self.stdout = self.attempt / "stdout.log"
        self.stderr = self.attempt / "stderr.log"
        self._moved: dict[Path, Path] = {}

    def create(self, input_files: Mapping[str, str], folders: Iterable[Path] = ()) -> None:
        """Make the folders, those for outputs in the working directory as well, and write what the program needs.

        An earlier attempt may have left anything: no link of its is followed.

        Raises:
            CannotRun: when the work root cannot be written, or an input file would lie elsewhere or is no Unicode.
        """
        files = {self._inside(name): _encoded(name, text) for name, text in input_files.items()}
        files[self.job / PARAMETERS_FILE] = self._held.spec.model_dump_json(indent=2).encode()
        with _refused_by_system():
            self._make(self.work, *(self._inside(str(folder)) for folder in folders))
            for path, content in files.items():
                self._write(path, content)

    def make_work(self) -> None:
        """Make the working directory, for what runs before anything else is known; no link is followed here either.

        Raises:
            CannotRun: when the work root cannot be written.
        """
        with _refused_by_system():
            self._make(self.work)

    def make_room_for_tasklets(self) -> None:
        """Make the folders that tasklets need.

        Raises:
            CannotRun: when the work root cannot be written.
        """
        with _refused_by_system():
            self._make(self.work, self.tasklets)

    def keep_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Write the parameters of this attempt's program, which are not those that were submitted.

        Raises:
            CannotRun: when that fails.
        """
        with _refused_by_system():
            self._write(self.attempt / PARAMETERS_FILE, to_json({"parameters": parameters}, inf_nan_mode="constants"))

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

        Raises:
            CannotRun: when it cannot go there; it is still where it was.
        """
        try:
            return self._move(staged, *self._goal(output))
        except (OSError, CannotRun) as error:
            raise CannotRun("environment", f"{staged} cannot be moved to {output}: {error}") from error

    def move_to_folder(self, source: Path, folder: Path, name: str) -> Path:
        """Move a file of the job's into a folder, of its outputs or named from the root, and return where it is now.

        For the holder of the newest claim. What has its name there is replaced, unless that is another file of this
        attempt; what is an output already stays where it is, too.

        Raises:
            CannotRun: when it is not the job's, or the folder lies elsewhere.
            OSError: when it cannot go there; it is still where it was.
        """
        source, target = Path(os.path.realpath(source)), Path(os.path.normpath(folder / Path(name).name))
        is_output = source in map(Path, map(os.path.realpath, self._moved.values()))
        if not is_output and not source.is_relative_to(os.path.realpath(self.attempt)):
            raise CannotRun("tasklet", "it is no file of this attempt")
        if ".." in target.parts:
            raise CannotRun("tasklet", "it would lie outside of the job's outputs")
        root, place = self._goal(target)
        if place in self._moved.values():
            raise CannotRun("tasklet", f"{place} is another file of this job")
        if not is_output:
            return self._move(source, root, place)
        with opened_folder(root, place.parent) as opened:
            link_file(source, place.name, opened)
        return place

    def leave_links(self) -> None:
        """Let those who come later find what was moved by the names that it had before.

        Raises:
            OSError: when that cannot be.
        """
        for staged, place in self._moved.items():
            with opened_folder(Path(os.path.realpath(self._jobs)), staged.parent) as folder:
                make_symlink(place, staged.name, folder)

    def move_to_partial(self, staged: Path, name: Path) -> Path:
        """Move an output of a job that did not succeed out of the attempt, and return where it is now.

        For the holder of the newest claim. What was moved before under another name gets this name as well.

        Raises:
            OSError: when it cannot go there; it is still where it was.
        """
        return self._move(staged, self._jobs, self.partial / name)

    def keep_record(self, record: JobRecord) -> None:
        """Write how the attempt ended, so that it is on disk whatever becomes of the ledger."""
        self._jobs.mkdir(parents=True, exist_ok=True)
        self._write(self.attempt / RECORD_FILE, record.model_dump_json(indent=2).encode())

    def publish_record(self) -> None:
        """Make the attempt's end the job's. For the one who has closed the job."""
        draft = self.job / f"{RECORD_FILE}.part"
        draft.unlink(missing_ok=True)
        os.link(self.attempt / RECORD_FILE, draft)
        os.replace(draft, self.job / RECORD_FILE)

    def _move(self, staged: Path, root: Path, place: Path) -> Path:
        with opened_folder(root, place.parent) as folder:
            if (before := self._moved.get(staged)) is None:
                move_file(staged, place.name, folder)
                self._moved[staged] = place
            elif before != place:
                link_file(before, place.name, folder)
        return place

    def _make(self, *folders: Path) -> None:
        self._jobs.mkdir(parents=True, exist_ok=True)
        for folder in folders:
            with opened_folder(self._jobs, folder):
                pass

    def _write(self, path: Path, content: bytes) -> None:
        with opened_folder(self._jobs, path.parent) as folder:
            write_file(path.name, folder, content)

    def _goal(self, output: Path) -> tuple[Path, Path]:
        if output.is_absolute():
            return output_goal(output, self._output_roots)
        return self._jobs, self.job / "outputs" / output

    def _inside(self, name: str) -> Path:
        path = Path(os.path.normpath(self.work / name))
        if not path.is_relative_to(self.work) or "\0" in name:
            raise CannotRun("validation", f"the input file {name!r} would lie outside of the job directory")
        return path


@contextlib.contextmanager
def _refused_by_system() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotRun("environment", f"cannot make the job directory: {error}; check OUTRIDER_WORK_ROOT") from error


def _encoded(name: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise CannotRun("validation", f"the input file {name!r} would be no Unicode text: {error}") from error
