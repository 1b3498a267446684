"""The tasks that this process knows. Nothing is registered: modules and files are looked at."""

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from ..config import is_file_source
from ..config.errors import CatalogueError, InvalidFile, UnknownTask
from .being_loaded import loading
from .definitions import definition_digest
from .description import TaskDescription
from .first_party import Task
from .function_task import FunctionTask
from .place import is_found_at_its_place
from .programs import described_files, load_program
from .third_party import ThirdPartyTask

__all__ = ["Catalogue", "load_catalogue"]

_ENTRY_POINTS = "outrider.tasks"


class Catalogue(Mapping[str, type[TaskDescription]]):
    """Task classes by name."""

    def __init__(self, tasks: Iterable[type[TaskDescription]]) -> None:
        """Collect tasks.

        Raises:
            CatalogueError: when two have one name.
        """
        self._tasks: dict[str, type[TaskDescription]] = {}
        for task in tasks:
            known = self._tasks.setdefault(task.name, task)
            if known is not task:
                raise CatalogueError(f"two tasks are called {task.name!r}: {_place(known)} and {_place(task)}")

    def __getitem__(self, name: str) -> type[TaskDescription]:
        """Return the task of this name.

        Raises:
            UnknownTask: with the names that come close.
        """
        try:
            return self._tasks[name]
        except KeyError:
            raise UnknownTask(name, difflib.get_close_matches(name, self._tasks, n=3)) from None

    def __contains__(self, name: object) -> bool:
        return name in self._tasks

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._tasks))

    def __len__(self) -> int:
        return len(self._tasks)


def load_catalogue(sources: Iterable[str], folder: Path = Path()) -> Catalogue:
    """Return the tasks of our library, of the named sources, and of the packages that declare an entry point.

    Args:
        sources: modules, and YAML files or folders of them, see `described_files`.
        folder: where relative paths of files begin.

    Raises:
        CatalogueError: when a source cannot be loaded, two tasks have one name, or the process of a first-party task
            would not find it.
    """
    sources = dict.fromkeys(sources)
    files = described_files(sources, folder)
    modules = [source for source in sources if not is_file_source(source)]
    found: list[type[TaskDescription]] = [_described(file) for file in files]
    for name in (*_library(), *modules, *(point.value for point in entry_points(group=_ENTRY_POINTS))):
        found += _tasks_of(_import(name))
    for task in found:
        definition_digest(task)  # now, since its file may change later
    return Catalogue(found)


def _described(file: Path) -> type[TaskDescription]:
    try:
        return load_program(file)
    except InvalidFile as error:
        raise CatalogueError(f"the description of a program cannot be used: {error}") from error


def _library() -> list[str]:
    from . import library

    return [f"{library.__name__}.{module.name}" for module in pkgutil.iter_modules(library.__path__)]


def _import(name: str) -> ModuleType:
    try:
        with loading(name):
            return importlib.import_module(name)
    except Exception as error:
        hint = "; modules are looked for in the working directory and on PYTHONPATH" if _is_of(name, error) else ""
        raise CatalogueError(
            f"the task module {name!r} cannot be imported: {type(error).__name__}: {error}{hint}"
        ) from error


def _is_of(name: str, error: Exception) -> bool:
    """Whether it is the module itself, or a package around it, that is not found, and nothing that it imports."""
    return isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}.")


def _tasks_of(module: ModuleType) -> Iterator[type[TaskDescription]]:
    for name, member in inspect.getmembers(module):
        found = member.task if isinstance(member, FunctionTask) else member
        if not (inspect.isclass(found) and issubclass(found, TaskDescription)):
            continue
        if found.__module__ == module.__name__ and found.is_complete():
            if issubclass(found, Task):
                _check_place(found, name)
            yield found


def _check_place(task: type[Task], name: str) -> None:
    """Make sure that the task's process, which imports the module anew, finds the task by the name that it has."""
    if not is_found_at_its_place(task):
        raise CatalogueError(
            f"{task.__module__}.{name} is called {task.__qualname__!r}, and a process of its own would look for it by that "
            f"name: define it at the top of the module, by class or @outrider.task, under the name that it shall have"
        )


def _place(task: type[TaskDescription]) -> str:
    if issubclass(task, ThirdPartyTask) and task.described_in:
        return str(task.described_in)
    return f"{task.__module__}.{task.__qualname__}"
