"""What a tasklet returned decides what happens: files are kept or moved, people told, parameters changed."""

import asyncio
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..communicators import Artifact, Claim, JobState, Ledger, LedgerCommunicator, Reference
from ..config.errors import ArtifactError, CannotRun, InvalidParameters
from ..tasklets import FilePart, NoticePart, ParametersPart, Shown, WarningPart
from ..tasks import TaskDescription
from .job_directory import JobDirectory
from .keeper import Keeper
from .relay import Relay
from .roots import lies_in
from .sinks import Notice
from .site import Site

__all__ = ["PartRefused", "TakenParts", "TaskletParts"]

#: A larger file is not copied.
_LARGEST_KEPT = 256 * 2**20
#: So much of what a tasklet shows goes into the record, in bytes of JSON.
_MOST_SHOWN = 2**20


class PartRefused(Exception):
    """Something that a tasklet has returned cannot be done; the text says what and why."""


@dataclass
class TakenParts:
    """What became of the parts of one tasklet."""

    parts: list[Shown] = field(default_factory=list)
    files: dict[str, Reference] = field(default_factory=dict)

    def add(self, part: Shown) -> None:
        """Add a part, as long as there is room for it in a record."""
        size = sum(len(one.model_dump_json()) for one in (*self.parts, part))
        too_large = WarningPart(text=f"what was returned takes more than {_MOST_SHOWN} bytes; the rest is not shown")
        if size <= _MOST_SHOWN:
            self.parts.append(part)
        elif self.parts[-1:] != [too_large]:
            self.parts.append(too_large)

    @property
    def warnings(self) -> list[str]:
        """What could not be shown or kept."""
        return [part.text for part in self.parts if isinstance(part, WarningPart)]


class TaskletParts:
    """Does what parts ask for, for one attempt."""

    def __init__(
        self,
        held: Claim,
        directory: JobDirectory,
        ledger: Ledger,
        upward: LedgerCommunicator,
        relay: Relay,
        keeper: Keeper,
        site: Site,
    ) -> None:
        """Keep files with `keeper`, as artefacts of what `relay` has passed on."""
        self._held = held
        self._directory = directory
        self._ledger = ledger
        self._upward = upward
        self._relay = relay
        self._keeper = keeper
        self._site = site
        #: The task whose parameters tasklets may change, as long as its program has not started.
        self.task: TaskDescription | None = None

    async def take(self, parts: Iterable[Shown], state: JobState) -> TakenParts:
        """Do what parts ask for, while the job is in a state, and return what is to be shown of them.

        Raises:
            PartRefused: when one cannot be done; the parts before it have been.
            LedgerError: when another attempt owns the job now.
        """
        taken = TakenParts()
        for part in parts:
            match part:
                case FilePart(move_to=None):
                    await self._keep(part, taken)
                case FilePart():
                    taken.add(await self._move(part))
                case NoticePart():
                    self._post(part, state, taken)
                case ParametersPart(values=values):
                    self._change(values)
                    taken.add(part)
                case _:
                    taken.add(part)
        return taken

    async def _keep(self, part: FilePart, taken: TakenParts) -> None:
        """Copy a file of the attempt to its artefacts; of any other file, and of a large one, only the path is kept."""
        if not await asyncio.to_thread(self._is_own, part.path):
            taken.add(part)
            return
        name = _free_name(part.name, self._relay.artifacts)
        try:
            await self._upward.room()
            kept = await asyncio.to_thread(self._keeper.keep, Artifact(name=name, path=part.path, source="executor"))
        except (OSError, ValueError, ArtifactError) as error:
            taken.add(part)
            taken.add(WarningPart(text=f"the file {part.name!r} is not kept: {error}"))
            return
        if kept.reference is not None:
            taken.files[name] = self._relay.artifacts[name] = kept.reference
        await self._upward.write(kept)
        taken.add(part.model_copy(update={"name": name}))

    def _is_own(self, path: Path) -> bool:
        try:
            real, facts = Path(os.path.realpath(path)), os.stat(path)
        except (OSError, ValueError):
            return False
        inside = real.is_relative_to(os.path.realpath(self._directory.attempt))
        return inside and stat.S_ISREG(facts.st_mode) and facts.st_size <= _LARGEST_KEPT

    async def _move(self, part: FilePart) -> FilePart:
        await self._ledger.emit(self._held, [])  # only the newest claim may fill the job's outputs
        try:
            place = await asyncio.to_thread(
                self._directory.move_to_folder, part.path, part.move_to or Path(), part.name
            )
        except (OSError, ValueError, CannotRun) as error:
            raise PartRefused(f"the file {part.name!r} cannot be moved to {part.move_to}: {error}") from error
        return part.model_copy(update={"path": place})

    def _post(self, part: NoticePart, state: JobState, taken: TakenParts) -> None:
        """Tell people. A file that lies in none of the job's folders and of the roots stays here."""
        own = (self._directory.job, *self._site.input_roots, *self._site.output_roots)
        allowed = tuple(path for path in part.attachments if lies_in(path, own))
        for path in part.attachments:
            if path not in allowed:
                taken.add(WarningPart(text=f"{str(path)!r} is not attached: it lies outside of the job's folder"))
        taken.add(part)
        if self._site.tasklets:
            notice = Notice(
                job_id=self._held.spec.id,
                task=self._held.spec.task,
                state=str(state),
                title=part.title or f"{self._held.spec.task} {state}",
                text=part.text,
                attachments=allowed,
            )
            self._site.tasklets.sinks.post(notice)

    def _change(self, values: Mapping[str, object]) -> None:
        if self.task is None:
            raise PartRefused("parameters can only be changed before the program starts")
        try:
            self.task = type(self.task).from_parameters({**self.task.parameters(), **values})
        except InvalidParameters as error:
            raise PartRefused(f"the new parameters are refused: {error}") from error


def _free_name(name: str, taken: Iterable[str]) -> str:
    """Return the name or, if it is taken, one with a number."""
    taken = set(taken)
    stem, suffix = os.path.splitext(name)
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{stem}-{number}{suffix}"
    return free
