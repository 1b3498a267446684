"""Which versions of which Python packages a process has loaded."""

import functools
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["PackageVersions", "loaded_modules", "package_versions"]


def loaded_modules() -> tuple[str, ...]:
    """Return the names of the packages and modules that this process has loaded, without those of Python itself."""
    names = {name for name in list(sys.modules) if "." not in name}
    return tuple(sorted(names - sys.stdlib_module_names))


class PackageVersions:
    """The versions of what is installed beside this Python, as it was when the process first asked."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._lock = threading.Lock()
        self._packages: Mapping[str, Sequence[str]] | None = None
        self._of = functools.lru_cache(64)(self._versions)

    @property
    def loaded(self) -> bool:
        """Whether that was read."""
        return self._packages is not None

    def load(self) -> None:
        """Read what is installed, unless that was done. Blocks; for a thread."""
        from importlib.metadata import packages_distributions

        with self._lock:
            if self._packages is None:
                self._packages = packages_distributions()

    def of(self, modules: Iterable[str]) -> dict[str, str]:
        """Return versions by package of the modules' packages, as far as they are installed ones; none before `load`.

        Where several packages share a module's name, all of them are named.
        """
        return dict(self._of(frozenset(modules))) if self._packages is not None else {}

    def _versions(self, modules: frozenset[str]) -> dict[str, str]:
        packages = self._packages or {}
        names = {name for module in modules for name in packages.get(module, ())}
        return {name: _version(name) for name in sorted(names, key=str.lower)}


@functools.cache
def package_versions() -> PackageVersions:
    """Return this process's."""
    return PackageVersions()


@functools.cache
def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:  # removed meanwhile
        return ""
