"""Tasklets that jobs of the tests run around their programs."""

import time
from pathlib import Path

from outrider import File, NewParameters, Notice
from outrider.tasklets import tasklet


@tasklet
def makes(file: Path = Path("made-before.txt"), text: str = "made before\n") -> Path:
    file.write_text(text)
    return file


@tasklet
def changes(**values) -> NewParameters:
    return NewParameters(values)


@tasklet
def counts(file: Path) -> dict[str, int]:
    return {"lines": len(file.read_text().splitlines())}


@tasklet
def gives(file: Path, name: str = "", move_to: Path | None = None) -> File:
    return File(file, name=name, move_to=move_to)


@tasklet
def kind_of(value) -> str:
    return f"{type(value).__name__} {value!r}"


@tasklet
def tells(text: str, attachments: list[Path] | None = None) -> Notice:
    return Notice(text, "the title", tuple(attachments or ()))


@tasklet
def strange() -> set[int]:
    return object()


@tasklet(time_limit="0.3s")
def is_slow() -> None:
    time.sleep(60)


@tasklet
def signs(file: Path, word: str) -> None:
    """Leave a trace of having been here, outside of the job's folder."""
    with file.open("a") as trace:
        trace.write(f"{word}\n")
