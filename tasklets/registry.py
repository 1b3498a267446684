"""The tasklets that this process knows. Nothing is registered: modules are looked at."""

import difflib
import importlib
import inspect
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

from ..config import is_file_source
from ..config.errors import CatalogueError, UnknownTasklet
from .decorator import Tasklet

__all__ = ["Tasklets", "load_tasklets"]

_ENTRY_POINTS = "outrider.tasklets"
_BUILT_IN = ("files", "notices", "plots", "tables", "text")


class Tasklets(Mapping[str, Tasklet[..., Any]]):
    """Tasklets by name."""

    def __init__(self, tasklets: Iterable[Tasklet[..., Any]]) -> None:
        """Collect tasklets.

        Raises:
            CatalogueError: when two have one name.
        """
        self._tasklets: dict[str, Tasklet[..., Any]] = {}
        for tasklet in tasklets:
            known = self._tasklets.setdefault(tasklet.name, tasklet)
            if known is not tasklet:
                raise CatalogueError(f"two tasklets are called {tasklet.name!r}: {_place(known)} and {_place(tasklet)}")

    def __getitem__(self, name: str) -> Tasklet[..., Any]:
        """Return the tasklet of this name.

        Raises:
            UnknownTasklet: with the names that come close.
        """
        try:
            return self._tasklets[name]
        except KeyError:
            raise UnknownTasklet(name, difflib.get_close_matches(name, self._tasklets, n=3)) from None

    def __contains__(self, name: object) -> bool:
        return name in self._tasklets

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._tasklets))

    def __len__(self) -> int:
        return len(self._tasklets)


def load_tasklets(sources: Iterable[str] = ()) -> Tasklets:
    """Return the built-in tasklets, those of the named modules, and of the packages that declare an entry point.

    Sources that are YAML files, or folders, describe programs, and no tasklets.

    Raises:
        CatalogueError: when a module cannot be imported, two tasklets have one name, or another process would not find
            one.
    """
    built_in = (f"{__package__}.{name}" for name in _BUILT_IN)
    modules = (source for source in sources if not is_file_source(source))
    found: list[Tasklet[..., Any]] = []
    for name in dict.fromkeys((*built_in, *modules, *(point.value for point in entry_points(group=_ENTRY_POINTS)))):
        found += _tasklets_of(_import(name))
    return Tasklets(found)


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise CatalogueError(
            f"the tasklet module {name!r} cannot be imported: {type(error).__name__}: {error}"
        ) from error


def _tasklets_of(module: ModuleType) -> Iterator[Tasklet[..., Any]]:
    for name, member in inspect.getmembers(module, lambda member: isinstance(member, Tasklet)):
        if member.__module__ == module.__name__:
            _check_place(module, name, member)
            yield member


def _check_place(module: ModuleType, name: str, tasklet: Tasklet[..., Any]) -> None:
    """Make sure that another process, which imports the module anew, finds the tasklet by its function's name."""
    wanted = tasklet.function.__qualname__
    if getattr(module, wanted, None) is not tasklet:
        raise CatalogueError(
            f"{module.__name__}.{name} is a tasklet whose function is called {wanted!r}, and another process would look "
            f"for it by that name: define it at the top of the module, under the name that it shall have"
        )


def _place(tasklet: Tasklet[..., Any]) -> str:
    return f"{tasklet.__module__}.{tasklet.function.__qualname__}"
