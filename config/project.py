"""A project: the folder whose embedded Redis, job directories and logs belong together."""

from pathlib import Path

__all__ = ["find_project", "project_folder"]

#: A folder that holds one of these is where a project begins.
_MARKERS = (".outrider", "pyproject.toml", ".git")


def find_project(start: Path) -> Path:
    """Return the nearest folder at or above `start` that looks like a project's root, else `start`."""
    for folder in (start, *start.parents):
        if any((folder / marker).exists() for marker in _MARKERS):
            return folder
    return start


def project_folder(project: Path) -> Path:
    """Return the project's `.outrider`, made if need be, which no version control takes up."""
    folder = project / ".outrider"
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    return folder
