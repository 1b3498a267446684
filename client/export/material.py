"""What of a record, and of the description that it was made with, goes into an export."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...communicators import JobRecord
from ...config.errors import OutriderError
from ...tasks import Catalogue, Stdin, Stdout, TaskDescription, definition_file

__all__ = ["Material"]


class Material:
    """A record, seen through today's description of its task, as far as there is one."""

    def __init__(self, record: JobRecord, catalogue: Catalogue, job: Path) -> None:
        """Look up the task."""
        self.record = record
        #: The job's directory, and the working directory of the attempt that ended it.
        self.job = job
        self.attempt = job / f"attempt-{record.attempt}"
        self.work = self.attempt / "work"
        changed = record.run.parameters if record.run else None
        #: As the program got them: tasklets may have changed what was submitted.
        self.parameters = record.spec.parameters if changed is None else changed
        self.description: type[TaskDescription] | None = None
        self.task: TaskDescription | None = None
        #: Why the task is not known in full; empty if it is.
        self.unknown = ""
        try:
            self.description = catalogue[record.spec.task]
            self.task = self.description.from_parameters(self.parameters)
        except OutriderError as error:
            self.unknown = str(error)

    @property
    def is_first_party(self) -> bool:
        """Whether it is Python code that reads its parameters from a file."""
        return "outrider.worker.first_party" in (self.record.run.argv if self.record.run else ())

    def inputs(self) -> list[str]:
        """Return the paths of the inputs; of a folder the folder alone."""
        named = [
            path for field in self._fields() if field.is_input for path in _texts(self._parameter(field.parameter))
        ]
        recorded = self.record.provenance.inputs if self.record.provenance else {}
        paths = [path for path in dict.fromkeys((*named, *recorded)) if Path(path).is_absolute()]
        folders = [Path(path) for path in named]
        return [
            path
            for path in paths
            if not Path(path).is_relative_to(self.job) and not any(folder in Path(path).parents for folder in folders)
        ]

    def stdin(self) -> str:
        """Return the file that the program's standard input was; empty when there was none."""
        return next((str(self._parameter(f.parameter) or "") for f in self._fields() if isinstance(f.place, Stdin)), "")

    def stdout(self) -> str:
        """Return the file that the program's standard output went to, as `staged` does; empty when there was none."""
        names = [field.parameter for field in self._fields() if isinstance(field.place, Stdout)]
        given = [(name, str(self._parameter(name))) for name in names if self._parameter(name)]
        return str(self.staged(given[0][0], Path(given[0][1]))) if given else ""

    def staged(self, name: str, path: Path) -> Path:
        """Return what the program called an output that is now at a path, relative to its working directory."""
        given = Path(str(self._parameter(name) or path))
        if not given.is_absolute() and ".." not in given.parts:
            return given
        for base in (self.job / "outputs", self.work):
            if path.is_relative_to(base) and ".." not in path.parts:
                return path.relative_to(base)
        fields = {field.parameter: field.name for field in self._fields()}
        return Path("outputs", Path(fields.get(name, name)).name or "output", path.name or "output")

    def folders_for_outputs(self) -> list[str]:
        """Return the folders that the worker made for outputs which were moved elsewhere in the end."""
        outputs = self.record.outcome.outputs if self.record.outcome else {}
        moved = [
            (name, file.path) for name, file in outputs.items() if str(self._parameter(name) or "").startswith("/")
        ]
        return sorted({str(self.staged(name, path).parent) for name, path in moved})

    def rendered_files(self) -> dict[str, str]:
        """Return the small files that the task needs in its working directory, by name.

        Raises:
            OutriderError: when they cannot be made.
        """
        if self.task is None:
            return {}
        try:
            return self.task.input_files()
        except Exception as error:  # the task author's code may raise anything
            raise OutriderError(f"{type(error).__name__}: {error}") from error

    def source(self) -> Path | None:
        """Return the file that describes the task, a module's or a YAML file, `None` if nobody knows."""
        return definition_file(self.description) if self.description else None

    def _fields(self) -> Iterable[Any]:
        return self.description.task_fields() if self.description else ()

    def _parameter(self, name: str) -> Any:
        parameters = self.parameters
        if name in parameters or self.task is None:
            return parameters.get(name)
        return self.task.parameters().get(name)  # a message without Outrider leaves defaults out


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []
