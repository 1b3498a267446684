"""The tasks that this process knows. Nothing is registered: modules are looked at."""

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import entry_points
from types import ModuleType

from ..config.errors import CatalogueError, UnknownTask
from .third_party import ThirdPartyTask

__all__ = ["Catalogue", "load_catalogue"]

_ENTRY_POINTS = "outrider.tasks"


class Catalogue(Mapping[str, type[ThirdPartyTask]]):
    """Task classes by name."""

    def __init__(self, tasks: Iterable[type[ThirdPartyTask]]) -> None:
        """Collect tasks.

        Raises:
            CatalogueError: when two have one name.
        """
        self._tasks: dict[str, type[ThirdPartyTask]] = {}
        for task in tasks:
            known = self._tasks.setdefault(task.name, task)
            if known is not task:
                raise CatalogueError(f"two tasks are called {task.name!r}: {_place(known)} and {_place(task)}")

    def __getitem__(self, name: str) -> type[ThirdPartyTask]:
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


def load_catalogue(modules: Iterable[str]) -> Catalogue:
    """Return the tasks of our library, of the named modules, and of the packages that declare an entry point.

    Raises:
        CatalogueError: when a module cannot be imported, or two tasks have one name.
    """
    found: list[type[ThirdPartyTask]] = []
    for name in (*_library(), *modules, *(point.value for point in entry_points(group=_ENTRY_POINTS))):
        found += _tasks_of(_import(name))
    return Catalogue(found)


def _library() -> list[str]:
    from . import library

    return [f"{library.__name__}.{module.name}" for module in pkgutil.iter_modules(library.__path__)]


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise CatalogueError(f"the task module {name!r} cannot be imported: {type(error).__name__}: {error}") from error


def _tasks_of(module: ModuleType) -> Iterator[type[ThirdPartyTask]]:
    for _, member in inspect.getmembers(module, inspect.isclass):
        if (
            issubclass(member, ThirdPartyTask)
            and member.__module__ == module.__name__
            and hasattr(member, "executable")
        ):
            yield member


def _place(task: type[ThirdPartyTask]) -> str:
    return f"{task.__module__}.{task.__qualname__}"
