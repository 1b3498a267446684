"""Under which names a program writes its outputs, until they are moved into place. Pure."""

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from .description import TaskDescription

__all__ = ["staged_outputs", "with_staged_outputs"]

T = TypeVar("T", bound="TaskDescription")


def staged_outputs(task: "TaskDescription") -> dict[str, Path]:
    """Return what each output is called in the attempt's directory, by field.

    One that is named relative to the directory keeps its name; one that is named from the root gets
    `outputs/<field>/<file name>`. Two fields that name one file name it here as well.
    """
    names: dict[Path, Path] = {}
    staged: dict[str, Path] = {}
    for field in task.task_fields():
        path = getattr(task, field.name)
        if field.output is not None and path is not None:
            own = Path("outputs", field.name, path.name) if path.is_absolute() else path
            staged[field.name] = names.setdefault(path, own)
    return staged


def with_staged_outputs(task: T, directory: Path) -> T:
    """Return a copy of a task whose outputs have the names that its program gets.

    They are relative to the attempt's directory, or lead there from the root if the program is started in another.
    """
    staged = staged_outputs(task)
    if task.working_directory() is not None:
        staged = {name: directory / path for name, path in staged.items()}
    return task.model_copy(update=staged)
