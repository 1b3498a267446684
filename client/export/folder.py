"""All that goes into an exported folder."""

import os
from pathlib import Path

from ...communicators import InputFile
from ...config import Settings
from ...config.errors import OutriderError
from .copying import CopiedFile, copy_file, copy_input
from .job_file import job_file
from .material import Material
from .readme import readme
from .renaming import Renaming, file_names
from .run_script import SUMS, RunScript

__all__ = ["write_folder"]

#: Where a first-party task is started: two folders below its parameters.
_BELOW_PARAMETERS = "attempt-1/work"
_PARAMETERS = "parameters.json"
#: Bytes; a file that a worker has written for a program has fewer, unless the program has changed it.
_LARGEST_FILE = 16 * 2**20


def write_folder(folder: Path, material: Material, settings: Settings, *, with_inputs: bool) -> list[str]:
    """Write everything into an empty folder; return a sentence for each thing that is not as it was recorded.

    Raises:
        OSError: when the folder cannot be written.
    """
    return _Folder(folder, material, settings, with_inputs=with_inputs).write()


class _Folder:
    def __init__(self, folder: Path, material: Material, settings: Settings, *, with_inputs: bool) -> None:
        self._folder = folder
        self._material = material
        self._record = material.record
        self._roots = (material.job, *settings.output_roots)
        self._input_roots = settings.input_roots or None
        self._names = file_names(material.inputs()) if with_inputs else {}
        self._problems: list[str] = []
        #: From where the program is started to the exported folder.
        self._up = "../../.." if material.is_first_party else ".."

    def write(self) -> list[str]:
        material, record = self._material, self._record
        if material.unknown:
            self._problems.append(
                f"{material.unknown}; without the description nobody knows whether the program read standard input, "
                "nor which files it was given beside its inputs"
            )
        if record.spec.before:
            names = ", ".join(dict.fromkeys(call.tasklet for call in record.spec.before))
            self._problems.append(
                f"tasklets ran before the program ({names}); run.sh does without them, and without files that they made: "
                "job.yaml runs them, too"
            )
        self._copy_inputs()
        self._copy_outputs()
        self._copy_logs()
        has_files = self._write_files()
        self._copy_description()
        self._write("record.json", record.model_dump_json(indent=2))
        self._write("job.yaml", job_file(record.spec, self._renamed("./inputs")))
        if material.is_first_party:
            inside = {"parameters": self._from_run().value(material.parameters)}
            self._write(_PARAMETERS, record.spec.model_copy(update=inside).model_dump_json(indent=2))
        script = self._script(has_files=has_files)
        self._write("run.sh", script.text())
        (self._folder / "run.sh").chmod(0o755)
        problems = [os.fsencode(problem).decode("utf-8", "replace") for problem in self._problems]  # they name any file
        self._write("README.txt", readme(record, script, self._names, problems))
        return problems

    def _renamed(self, inputs: str) -> Renaming:
        return Renaming({path: f"{inputs}/{name}" for path, name in self._names.items()})

    def _from_run(self) -> Renaming:
        """Rename as the program sees it: the inputs, and the directory that it worked in."""
        places = {path: f"{self._up}/inputs/{name}" for path, name in self._names.items()}
        return Renaming({**places, str(self._material.work): "."})

    def _copy_inputs(self) -> None:
        provenance = self._record.provenance
        recorded = provenance.inputs if provenance else {}
        for path, name in self._names.items():
            for copied in copy_input(Path(path), self._folder / "inputs" / name, self._input_roots):
                if isinstance(copied, str):
                    self._problems.append(copied)
                elif changed := _changed(copied, recorded.get(str(copied.source))):
                    self._problems.append(changed)

    def _copy_outputs(self) -> None:
        outcome = self._record.outcome
        sums: list[str] = []
        for name, file in (outcome.outputs if outcome else {}).items():
            staged = self._material.staged(name, file.path)
            copied = self._copy(f"the output {file.path}", file.path, Path("outputs") / staged, self._roots)
            if copied is None:
                continue
            if file.sha256 and copied.sha256 != file.sha256:
                self._problems.append(f"the output {file.path} is not what the job left: it has changed since")
            if file.sha256 and not file.partial:
                sums.append(_sum_line(file.sha256, str(staged)))
        self._write(SUMS, "".join(sums))

    def _copy_logs(self) -> None:
        for name in ("stdout.log", "stderr.log"):
            self._copy(name, self._material.attempt / name, Path(name), self._roots)

    def _write_files(self) -> bool:
        """Write the small files that the program was given; return whether there are any."""
        try:
            files = self._material.rendered_files()
        except OutriderError as error:
            self._problems.append(f"the files that the program was given cannot be made: {error}")
            return False
        for name, text in files.items():
            if Path(name).is_absolute() or ".." in Path(name).parts:
                continue  # no worker writes it either
            target = self._folder / "files" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self._from_run().text(self._as_given(name, text)), encoding="utf-8")
        return bool(files)

    def _as_given(self, name: str, text: str) -> str:
        """Return what the program found, if its folder is still there; else what today's description makes."""
        place = self._material.work / name
        try:
            if (
                place.resolve(strict=True).is_relative_to(self._material.work.resolve())
                and place.is_file()
                and place.stat().st_size <= _LARGEST_FILE
            ):
                return place.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            pass
        self._problems.append(f"files/{name} is what today's description makes: the one of the run is gone")
        return text

    def _copy_description(self) -> None:
        if (source := self._material.source()) is not None:
            self._copy(f"the description {source}", source, Path("description", source.name))

    def _script(self, *, has_files: bool) -> RunScript:
        material, record, renaming = self._material, self._record, self._from_run()
        run = record.run
        variables = run.task_variables if run else {}
        return RunScript(
            title=f"Runs {record.spec.task} again as job {record.id} did, in a new folder beside this file.",
            argv=[renaming.word(word) for word in (run.argv if run else ())],
            environment={name: renaming.text(value) for name, value in variables.items()},
            directory=_BELOW_PARAMETERS if material.is_first_party else "",
            parameters=_PARAMETERS if material.is_first_party else "",
            folders=material.folders_for_outputs(),
            has_files=has_files,
            stdin=renaming.value(material.stdin()) or "/dev/null",
            stdout=material.stdout(),
        )

    def _copy(self, what: str, source: Path, name: Path, roots: tuple[Path, ...] | None = None) -> CopiedFile | None:
        try:
            return copy_file(source, self._folder / name, roots)
        except OSError as error:
            self._problems.append(f"{what} cannot be copied: {error.strerror or error}")
            return None

    def _write(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text, encoding="utf-8")


def _changed(copied: CopiedFile, recorded: InputFile | None) -> str:
    """Return a sentence if an input is not what the program found."""
    if recorded is None or (recorded.size == copied.size and recorded.sha256 in ("", copied.sha256)):
        return ""
    return (
        f"the input {copied.source} HAS CHANGED since the run: it had {recorded.size} bytes"
        f"{f' and sha256 {recorded.sha256}' if recorded.sha256 else ''}, now it has {copied.size} and {copied.sha256}"
    )


def _sum_line(sha256: str, name: str) -> str:
    r"""Return a line of `sha256sum`, which marks a name with `\` or a line end in it by a leading `\`."""
    quoted = name.replace("\\", "\\\\").replace("\n", "\\n")
    mark = "\\" if quoted != name else ""
    return f"{mark}{sha256}  {quoted}\n"
